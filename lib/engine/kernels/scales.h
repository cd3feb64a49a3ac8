/* The scales of quantised pixels. */
#ifndef SCARLET_ENGINE_KERNELS_SCALES_H
#define SCARLET_ENGINE_KERNELS_SCALES_H

#include "engine/kernels/kernels.h"
#include "engine/kernels/vector.h"

/* 8 floats in any set. Functions take its address: not all sets could pass it in a register. */
typedef float vec8 __attribute__((vector_size(32)));

#if SCARLET__VECTOR > 4
INLINE __m256 half_maxima(vec x)
{
#if SCARLET__VECTOR == 16
    return _mm256_max_ps(_mm512_castps512_ps256((__m512)x), _mm512_extractf32x8_ps((__m512)x, 1));
#else
    return (__m256)x;
#endif
}
/* Maxima of neighbouring lanes of a and of b, in turn. */
INLINE __m256 pair_maxima(__m256 a, __m256 b)
{
    return _mm256_max_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
}
INLINE __m256 quad_maxima(__m256 a, __m256 b)
{
    return _mm256_max_ps((__m256)_mm256_unpacklo_pd((__m256d)a, (__m256d)b),
                         (__m256)_mm256_unpackhi_pd((__m256d)a, (__m256d)b));
}
#endif

/* The largest lanes of `count` vectors, up to 8; the rest of `out` is undefined. */
INLINE void largest(int count, const vec *x, vec8 *out)
{
#if SCARLET__VECTOR == 4
    *out = (vec8){0};
    UNROLL for (int i = 0; i < count; i++)
    {
        (*out)[i] = x[i][0];
        for (int j = 1; j < VL; j++)
            (*out)[i] = x[i][j] > (*out)[i] ? x[i][j] : (*out)[i];
    }
#else
    __m256 y[8] = {0}; /* for gcc -fanalyzer; costs nothing */
    UNROLL for (int i = 0; i < 8; i++) y[i] = half_maxima(x[i < count ? i : 0]);
    UNROLL for (int i = 0; i < 4; i++) y[i] = pair_maxima(y[2 * i], y[2 * i + 1]);
    UNROLL for (int i = 0; i < 2; i++) y[i] = quad_maxima(y[2 * i], y[2 * i + 1]);
    *out = (vec8)_mm256_max_ps(_mm256_permute2f128_ps(y[0], y[1], 0x20),
                               _mm256_permute2f128_ps(y[0], y[1], 0x31));
#endif
}

/* From the pixels' maxima to their scales, for values up to the maximum and `shift`; leaves the
 * inverses in m. That of an infinite scale is 0, so that all that is finite becomes 0. */
INLINE void take_scales(int pixels, float shift, float levels, vec *m, float *scale)
{
    vec8 most;
    largest(pixels, m, &most);
    most += shift;
    /* Through memory: cheaper than moving lane by lane. */
    union {
        vec8 all;
        float one[8];
    } scales = {most / levels}, inverse = {levels / most};
    __builtin_memcpy(scale, scales.one, (size_t)pixels * sizeof *scale);
    UNROLL for (int i = 0; i < pixels; i++) m[i] = splat(inverse.one[i]);
}

/* Values of a pixel. */
INLINE size_t hidden_channels(const scarlet__hidden *h)
{
    size_t channels = 0;
    for (size_t s = 0; s < h->segments; s++)
        channels += h->segment[s].k;
    return channels;
}

#endif
