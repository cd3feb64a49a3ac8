/*
 * The restricted pickle machine. It builds plain data and references to tensors; a name in the
 * pickle is a pair of strings and is never looked up, imported or called.
 */
#ifndef SCARLET_FORMATS_PICKLE_H
#define SCARLET_FORMATS_PICKLE_H

#include "common/io.h"
#include "formats/arena.h"
#include "formats/names.h"
#include "formats/tensors.h"

/* Limits of one pickle. A SCARLET checkpoint has one of 60 KB with 3,400 memo entries. */
enum {
    SCARLET__PICKLE_MAX = 64 << 20,        /* bytes */
    SCARLET__PICKLE_MEMORY_MAX = 64 << 20, /* bytes of what it builds */
    SCARLET__PICKLE_STACK_MAX = 1 << 20,
    SCARLET__PICKLE_MEMO_MAX = 1 << 20,
    SCARLET__PICKLE_STRING_MAX = 1 << 20 /* a longer string is no name: OPAQUE */
};

typedef enum scarlet__kind {
    SCARLET__MARK, /* on the machine's stack only */
    SCARLET__NONE,
    SCARLET__INT,  /* also a bool */
    SCARLET__LONG, /* an integer beyond 64 bits: its bytes */
    SCARLET__STRING,
    SCARLET__TUPLE,
    SCARLET__LIST,
    SCARLET__DICT, /* also an OrderedDict */
    SCARLET__GLOBAL,
    SCARLET__STORAGE,
    SCARLET__VIEW,  /* a tensor */
    SCARLET__OPAQUE /* what the machine does not make: a call, or a type nothing here needs */
} scarlet__kind;

/* What a global means to this library: nothing, mostly. */
typedef enum scarlet__meaning {
    SCARLET__MEANS_NOTHING,
    SCARLET__MEANS_DANGER, /* its mere presence refuses the file */
    SCARLET__MEANS_ORDERED_DICT,
    SCARLET__MEANS_SIZE,
    SCARLET__MEANS_TENSOR, /* _rebuild_tensor, _rebuild_tensor_v2 */
    SCARLET__MEANS_PARAMETER,
    SCARLET__MEANS_FROM_TYPE,
    SCARLET__MEANS_STORAGE
} scarlet__meaning;

typedef struct scarlet__global {
    const char *module, *name;
    scarlet__meaning meaning;
    scarlet__dtype dtype; /* of a storage class */
} scarlet__global;

/* A reference to a storage, or to a part of it. */
typedef struct scarlet__storage {
    const char *key;
    scarlet__dtype dtype;
    uint64_t numel;         /* elements of the whole storage */
    uint64_t first, length; /* the part: elements */
    uint64_t offset; /* of the whole storage in the file; 0 until the file's reader sets it */
} scarlet__storage;

typedef struct scarlet__view {
    const scarlet__storage *storage;
    int64_t offset; /* elements from the storage's first; numbers as the file has them */
    size_t rank;    /* may pass SCARLET__RANK_MAX: then the rest is not kept */
    int64_t shape[SCARLET__RANK_MAX], stride[SCARLET__RANK_MAX];
} scarlet__view;

typedef struct scarlet__value scarlet__value;

typedef struct scarlet__items {
    scarlet__value *item; /* of a dict: key, value, key, value ... */
    size_t count, capacity;
} scarlet__items;

struct scarlet__value {
    scarlet__kind kind;
    uint32_t length; /* of STRING and LONG */
    union {
        int64_t integer;
        const char *bytes;             /* STRING, LONG; a NUL behind */
        scarlet__items *items;         /* TUPLE, LIST, DICT */
        const scarlet__global *global; /* GLOBAL; OPAQUE: the first one met, or NULL */
        scarlet__storage *storage;
        scarlet__view *view;
    };
};

typedef struct scarlet__pickle {
    scarlet__value value; /* what the pickle holds */
    uint64_t end;         /* file offset behind it */
    scarlet__storage **storage;
    size_t storage_count, storage_room;
    scarlet__names by_key; /* of `storage`; made by scarlet__storages_index */
    scarlet__arena arena;
} scarlet__pickle;

/* Runs the pickle at `offset`, which ends at its STOP, at the latest `size` bytes on. Always to be
 * freed. */
scarlet_status scarlet__pickle_load(const scarlet__source *source, uint64_t offset, uint64_t size,
                                    scarlet__pickle *out, scarlet_error *err);
void scarlet__pickle_free(scarlet__pickle *pickle);

/* Whether a value is this string. */
bool scarlet__value_is(const scarlet__value *value, const char *text);
/* Adds values to the end; false if the arena gives no more. */
bool scarlet__items_add(scarlet__arena *arena, scarlet__items *items, const scarlet__value *values,
                        size_t count);

/* ---- what torch's names mean (torch_names.c) ---- */

/* Fills in meaning and dtype from module and name. */
void scarlet__global_lookup(scarlet__global *global);
/* The value of function(*args) in *result. Gives false if a known function cannot have been called
 * like that (*problem says why) or if the arena gives no more (*problem is NULL). */
bool scarlet__torch_call(scarlet__pickle *pickle, const scarlet__global *function,
                         const scarlet__value *args, scarlet__value *result, const char **problem);
/* The same for a persistent id. */
bool scarlet__torch_persistent(scarlet__pickle *pickle, const scarlet__value *id,
                               scarlet__value *result, const char **problem);

#endif
