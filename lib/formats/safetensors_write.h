/* Writing a safetensors file. */
#ifndef SCARLET_FORMATS_SAFETENSORS_WRITE_H
#define SCARLET_FORMATS_SAFETENSORS_WRITE_H

#include "formats/tensors.h"

/*
 * Writes the tensors of `tensors` (names, shapes; values read piece by piece) under new metadata.
 *
 * dtype     gives the type each tensor is written as (F32, F16 or, for counters, I64); false leaves
 *           the tensor out
 * key, value, count   the metadata, written in this order
 *
 * Header: tensors sorted as the safetensors writers do (larger types first, then names), padded
 * with spaces to a multiple of 8. Values that overflow F16 are an error naming the tensor.
 */
typedef bool (*scarlet__dtype_choice)(const void *user, const scarlet__tensor *tensor,
                                      scarlet__dtype *dtype);
scarlet_status scarlet__safetensors_write(const char *target, const scarlet__tensors *tensors,
                                          scarlet__dtype_choice choose, const void *user,
                                          const char *const *key, const char *const *value,
                                          size_t count, scarlet_error *err);

#endif
