/* A model file in memory whose weights mean nothing: for timing. */
#ifndef SCARLET_NAS_SEARCH_RANDOM_MODEL_H
#define SCARLET_NAS_SEARCH_RANDOM_MODEL_H

#include "common/io.h"
#include "network/network.h"

/* Writes the model file of a network with random weights, whose activations stay near 1. `space` is
 * the text of its space; `file` is memory. */
scarlet_status scarlet__random_model(const scarlet__network *network, const char *space,
                                     scarlet__output *file, scarlet_error *err);

#endif
