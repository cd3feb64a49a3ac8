/* Plain data and references to tensors: what a pickle is made into. */
#ifndef SCARLET_FORMATS_VALUES_H
#define SCARLET_FORMATS_VALUES_H

#include "formats/arena.h"
#include "formats/names.h"
#include "formats/tensors.h"

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
    bool wanted;     /* by a tensor of the state dict */
} scarlet__storage;

typedef struct scarlet__view {
    scarlet__storage *storage;
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
        const char *bytes;             /* STRING, LONG; followed by a NUL */
        scarlet__items *items;         /* TUPLE, LIST, DICT */
        const scarlet__global *global; /* GLOBAL; OPAQUE: the first one met, or NULL */
        scarlet__storage *storage;
        scarlet__view *view;
    };
};

/* What values point into. */
typedef struct scarlet__heap {
    scarlet__arena arena;
    scarlet__storage **storage;
    size_t storage_count, storage_room;
    scarlet__names by_key; /* of `storage`; made by scarlet__storages_index */
} scarlet__heap;

void scarlet__heap_free(scarlet__heap *heap);
/* Whether a value is this string. */
bool scarlet__value_is(const scarlet__value *value, const char *text);
/* Adds values to the end; false if the arena is exhausted. */
bool scarlet__items_add(scarlet__arena *arena, scarlet__items *items, const scarlet__value *values,
                        size_t count);

#endif
