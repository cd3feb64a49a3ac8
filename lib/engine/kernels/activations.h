/*
 * The activations, on vectors. CONTRIBUTING.md lists every place that a new one needs.
 */
#ifndef SCARLET_ENGINE_KERNELS_ACTIVATIONS_H
#define SCARLET_ENGINE_KERNELS_ACTIVATIONS_H

#include "engine/kernels/kernels.h"
#include "engine/kernels/vector.h"

/* x comes second: if either operand is NaN, max and min of x86 return the second. So a NaN stays a
 * NaN. */
INLINE vec relu6(vec x)
{
    return min(splat(6), max(splat(0), x));
}
/* As relu6, except for a NaN. From 0 on, numbers are ordered like their bits; negative ones are
 * below that; and some CPUs compare integers twice as fast. */
INLINE vec clamp6(vec x)
{
#if SCARLET__VECTOR == 16
    return (vec)_mm512_min_epi32(_mm512_max_epi32((__m512i)x, _mm512_setzero_si512()),
                                 (__m512i)splat(6));
#elif SCARLET__VECTOR == 8
    return (vec)_mm256_min_epi32(_mm256_max_epi32((__m256i)x, _mm256_setzero_si256()),
                                 (__m256i)splat(6));
#else
    return relu6(x);
#endif
}
/* 6 * h-swish(x) = x * min(max(x + 3, 0), 6); the missing sixth is in the weights of
 * the next layer. */
INLINE vec hswish6(vec x)
{
    return x * clamp6(x + splat(3));
}

/* Callers with a loop to be fast in pass `a` as a constant, so that nothing is left of the test. */
INLINE vec activate(vec x, scarlet__activation a)
{
    return a == SCARLET__HSWISH6 ? hswish6(x) : a == SCARLET__RELU6 ? relu6(x) : x;
}

#endif
