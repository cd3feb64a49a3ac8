/* Writing a classifier's file from float values. */
#ifndef SCARLET_NETWORK_STORE_H
#define SCARLET_NETWORK_STORE_H

#include "formats/safetensors_write.h"
#include "network/metadata.h"

/* Reads elements first .. first+count-1 of tensor `index`, row-major. */
typedef scarlet_status (*scarlet__floats_fn)(void *user, size_t index, uint64_t first, size_t count,
                                             float *out, scarlet_error *err);

/* As scarlet__safetensors_put. */
typedef scarlet_status (*scarlet__put_fn)(scarlet__output *output, const char *name,
                                          const scarlet__contents *contents, scarlet_error *err);

typedef struct scarlet__store {
    scarlet__put_fn put; /* NULL: a safetensors file */
    const scarlet__metadata_text *metadata;
    scarlet__entry *entry; /* names and shapes; types are filled in */
    size_t count;
    bool half; /* convolution and linear weights are rounded to f16 */
    scarlet__floats_fn read;
    void *user;
} scarlet__store;

/* Writes to an open output; `name` is for messages. Errors as those of `put`, and UNSUPPORTED for a
 * value that overflows f16, naming its tensor. */
scarlet_status scarlet__store_put(const scarlet__store *store, scarlet__output *output,
                                  const char *name, scarlet_error *err);

#endif
