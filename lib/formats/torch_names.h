/* The few names of a torch checkpoint that mean something, and what a call of them would give. */
#ifndef SCARLET_FORMATS_TORCH_NAMES_H
#define SCARLET_FORMATS_TORCH_NAMES_H

#include "formats/values.h"

/* Fills in meaning and dtype from module and name. */
void scarlet__global_lookup(scarlet__global *global);
/* The value of function(*args) in *result. False if a known function cannot have been called like
 * that (*problem says why) or if the arena is exhausted (*problem is NULL). */
bool scarlet__torch_call(scarlet__heap *heap, const scarlet__global *function,
                         const scarlet__value *args, scarlet__value *result, const char **problem);
/* What a persistent id stands for; otherwise as scarlet__torch_call. */
bool scarlet__torch_persistent(scarlet__heap *heap, const scarlet__value *id,
                               scarlet__value *result, const char **problem);

#endif
