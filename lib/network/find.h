/* From a checkpoint's tensors to the network they belong to. */
#ifndef SCARLET_NETWORK_FIND_H
#define SCARLET_NETWORK_FIND_H

#include "formats/tensors.h"
#include "network/network.h"

/* Finds the architecture by names and shapes, and checks that exactly its tensors are there. Those
 * of other projects get our names, and their metadata what a file of ours would say.
 * Errors: MODEL (the text lists the first tensors that are missing, unexpected or misshapen),
 * CORRUPT (malformed scarlet.space or scarlet.network), UNSUPPORTED (scarlet.format), LIMIT (a
 * total stride that no input has), MEMORY. */
scarlet_status scarlet__network_find(scarlet__tensors *tensors, scarlet__network *out,
                                     scarlet_error *err);

/* Whether a tensor is a counter of training (num_batches_tracked), which inference ignores. */
bool scarlet__network_is_counter(const char *name);

#endif
