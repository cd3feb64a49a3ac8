/*
 * The restricted pickle machine. It builds plain data and references to tensors; a name in the
 * pickle is a pair of strings that is never looked up, imported or called.
 */
#ifndef SCARLET_FORMATS_PICKLE_H
#define SCARLET_FORMATS_PICKLE_H

#include "common/io.h"
#include "formats/values.h"

/* Limits of one pickle. A SCARLET checkpoint has one of 60 KB with 3,400 memo entries. */
enum {
    SCARLET__PICKLE_MAX = 64 << 20,        /* bytes */
    SCARLET__PICKLE_MEMORY_MAX = 64 << 20, /* bytes of what it builds */
    SCARLET__PICKLE_STACK_MAX = 1 << 20,
    SCARLET__PICKLE_MEMO_MAX = 1 << 20,
    SCARLET__PICKLE_STRING_MAX = 1 << 20 /* a longer string is no name: OPAQUE */
};

typedef struct scarlet__pickle {
    scarlet__value value; /* what the pickle holds */
    uint64_t end;         /* file offset after it */
    scarlet__heap heap;
} scarlet__pickle;

/* Runs the pickle at `offset` to its STOP, at most `size` bytes. Free it also after a failure. */
scarlet_status scarlet__pickle_load(const scarlet__source *source, uint64_t offset, uint64_t size,
                                    scarlet__pickle *out, scarlet_error *err);
void scarlet__pickle_free(scarlet__pickle *pickle);

#endif
