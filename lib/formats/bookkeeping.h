/* What tools of training and wrappers of a module leave in a state dict. */
#ifndef SCARLET_FORMATS_BOOKKEEPING_H
#define SCARLET_FORMATS_BOOKKEEPING_H

#include <stdbool.h>

#include "formats/tensors.h"

/* Whether an entry is no part of a network: a counter of an averaged model (n_averaged) or of a
 * profiler (total_ops, total_params). */
bool scarlet__is_bookkeeping(const char *name);

/* Removes such entries, and the prefixes of wrappers ("module.", "_orig_mod.", ...) that all other
 * names have. */
void scarlet__drop_bookkeeping(scarlet__tensors *tensors);

#endif
