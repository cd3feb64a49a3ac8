/* Weights in the layouts that kernels read. */
#ifndef SCARLET_ENGINE_PACK_H
#define SCARLET_ENGINE_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Smallest multiple of `unit` that is at least n. */
static inline size_t scarlet__round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Depthwise weights [channel][taps] to [vector][taps][vector lanes], zeros past the last channel:
 * scarlet__round_up(channels, vector) * taps floats. */
void scarlet__pack_depthwise(const float *weight, size_t channels, size_t taps, size_t vector,
                             float *out);
/* As scarlet__pack_depthwise, for bfloat16 pairs and a kernel of k x k taps: [vector][kernel
 * row][even, odd][pair][lane], two weights a lane, the left one low. Taps 0 and 1, 2 and 3, ... are
 * pairs of outputs whose window begins at an even place; nothing and 0, 1 and 2, ... of the others.
 */
void scarlet__pack_bf16_depthwise(const float *weight, float gain, size_t channels, size_t k,
                                  size_t vector, uint32_t *out);
/* The nearest bfloat16, halves to even; x is finite. */
uint16_t scarlet__to_bf16(float x);
/* The taps of a kernel, times `gain`, as bfloat16: neighbours of each, chosen so that their sum is
 * nearly kept. Where the picture is flat only the sum counts, and its error, the same at every
 * pixel, adds up in later layers. */
void scarlet__taps_to_bf16(const float *taps, float gain, size_t count, uint16_t *out);
/* n values and zeros up to a whole vector. */
void scarlet__pack_bias(const float *bias, size_t n, size_t vector, float *out);

#endif
