/* Layouts of weights that the kernels want. */
#ifndef SCARLET_ENGINE_PACK_H
#define SCARLET_ENGINE_PACK_H

#include <stddef.h>

/* Smallest multiple of `unit` that is at least n. */
static inline size_t scarlet__round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Depthwise weights [channel][taps] to [vector][taps][vector lanes], zeros past the last channel:
 * scarlet__round_up(channels, vector) * taps floats. */
void scarlet__pack_depthwise(const float *weight, size_t channels, size_t taps, size_t vector,
                             float *out);
/* n values and zeros up to a whole vector. */
void scarlet__pack_bias(const float *bias, size_t n, size_t vector, float *out);

#endif
