/* A model of random weights, so that C tests need neither PyTorch nor a download. */
#ifndef SCARLET_TESTS_MODEL_FILE_H
#define SCARLET_TESTS_MODEL_FILE_H

#include <stdbool.h>
#include <stdio.h>

/* Writes a safetensors file of float32 tensors for pictures of 32 pixels a side, scaled so that
 * activations stay near 1. genotype: "e3k3,id,e6k5se" or a released network's name; space, style:
 * as the metadata keys scarlet.space and scarlet.network, NULL for those of the paper. False if one
 * is malformed, they do not fit, or writing fails. */
bool model_file(FILE *file, const char *genotype, int classes, const char *space,
                const char *style);

#endif
