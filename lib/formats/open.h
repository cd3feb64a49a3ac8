/*
 * Opening a checkpoint of any format. Only its directory (pickle, zip directory or JSON header) is
 * read, and every tensor is checked to be within the file. Prefixes of wrappers that all names have
 * ("module.", "_orig_mod.", ...) are removed.
 */
#ifndef SCARLET_FORMATS_OPEN_H
#define SCARLET_FORMATS_OPEN_H

#include "formats/tensors.h"

/* The format is recognised by content. `source` must outlive the result; free that with
 * scarlet__tensors_free. max_bytes bounds the sum of the tensors' sizes (LIMIT). */
scarlet_status scarlet__tensors_open(const scarlet__source *source, uint64_t max_bytes,
                                     scarlet__tensors **out, scarlet_error *err);

/* Gives tensors other names: that of tensor i is the text at names + i * size, unless it is empty.
 * Takes over `names`, a block of scarlet__alloc, also on failure; tensors that were renamed before
 * get no other names. Errors: CORRUPT if two have one name, MEMORY. */
scarlet_status scarlet__tensors_rename(scarlet__tensors *tensors, char *names, size_t size,
                                       scarlet_error *err);
/* Adds a key that is not there; both texts must outlive the tensors. Errors: MEMORY. */
scarlet_status scarlet__tensors_add_metadata(scarlet__tensors *tensors, const char *key,
                                             const char *value, scarlet_error *err);

#endif
