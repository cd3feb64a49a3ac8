/* The activations, on vectors. A new one: its name in scarlet__activation, its formula and its case
 * in `activate` here. */
#ifndef SCARLET_ENGINE_KERNELS_ACTIVATIONS_H
#define SCARLET_ENGINE_KERNELS_ACTIVATIONS_H

#include "engine/kernels/kernels.h"
#include "engine/kernels/vector.h"

/* x comes second: where one is NaN, max and min of x86 give the second. So a NaN stays one. */
INLINE vec relu6(vec x)
{
    return min(splat(6), max(splat(0), x));
}
/* The same but for a NaN. Numbers are ordered like their bits from 0 on, negative ones lie below
 * it, and integers are compared twice as fast on some CPUs. */
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
/* 6 * h-swish(x) = x * min(max(x + 3, 0), 6); the sixth is in the weights that follow. */
INLINE vec hswish6(vec x)
{
    return x * clamp6(x + splat(3));
}

/* `a` is a constant wherever this is called, so that nothing is asked in a loop. */
INLINE vec activate(vec x, scarlet__activation a)
{
    return a == SCARLET__HSWISH6 ? hswish6(x) : a == SCARLET__RELU6 ? relu6(x) : x;
}

#endif
