/* Writing a safetensors file. */
#ifndef SCARLET_FORMATS_SAFETENSORS_WRITE_H
#define SCARLET_FORMATS_SAFETENSORS_WRITE_H

#include "formats/tensors.h"

/* A tensor to be written. */
typedef struct scarlet__entry {
    const char *name; /* UTF-8 */
    scarlet__dtype dtype;
    int rank;
    int64_t shape[SCARLET__RANK_MAX];
} scarlet__entry;

/* Stores elements first .. first+count-1 of entry `index`, in row-major order and in its dtype, at
 * `out`, which is aligned for any of them and holds at most SCARLET__PIECE bytes. */
typedef scarlet_status (*scarlet__elements_fn)(void *user, size_t index, uint64_t first,
                                               size_t count, void *out, scarlet_error *err);

/* What a file shall hold. No two names and no two keys are the same. */
typedef struct scarlet__contents {
    const char *const *key, *const *value; /* metadata, in this order */
    size_t metadata_count;
    const scarlet__entry *entry;
    size_t count;
    scarlet__elements_fn elements; /* called for each entry in turn, from its first element on */
    void *user;
} scarlet__contents;

/*
 * Writes the file. It appears complete, in the target's place, or not at all. In it the tensors are
 * sorted as other safetensors writers do (larger types first, then names), and the header is padded
 * with spaces to a multiple of 8. Errors: IO, LIMIT (more than such a file can hold), MEMORY, and
 * those of `elements`.
 */
scarlet_status scarlet__safetensors_write(const char *target, const scarlet__contents *contents,
                                          scarlet_error *err);
/* The same to an output that is open, and stays so. name: for messages. */
scarlet_status scarlet__safetensors_put(scarlet__output *output, const char *name,
                                        const scarlet__contents *contents, scarlet_error *err);

#endif
