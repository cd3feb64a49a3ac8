/*
 * One vector type for every instruction set: the kernels of this folder are written in it once and
 * compiled per set, with SCARLET__VECTOR floats a vector and names ending in SCARLET__SUFFIX.
 */
#ifndef SCARLET_ENGINE_KERNELS_VECTOR_H
#define SCARLET_ENGINE_KERNELS_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#if SCARLET__VECTOR > 4 || defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
/* KERNEL(depthwise) is scarlet__depthwise_avx512 and so on. */
#define KERNEL(name) JOIN(scarlet__##name##_, SCARLET__SUFFIX)

#define INLINE static inline __attribute__((always_inline))

/* Full unrolling, so that arrays of accumulators become registers. */
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

enum { VL = SCARLET__VECTOR };

typedef float vec __attribute__((vector_size(SCARLET__VECTOR * 4)));
typedef float vec_in_memory
    __attribute__((vector_size(SCARLET__VECTOR * 4), aligned(4), may_alias));

INLINE vec load(const float *p)
{
    return *(const vec_in_memory *)p;
}
INLINE void store(float *p, vec x)
{
    *(vec_in_memory *)p = x;
}

/*
 * multiply_add(a, b, c) is a * b + c, rounded once where the set has such an instruction. It is
 * asked for by name: left to the compiler, gcc 13 and later contract some loops and not others
 * (they avoid chains of fused additions), and the same sum would depend on the tile it falls into.
 */
#if SCARLET__VECTOR == 16
INLINE vec splat(float x)
{
    return (vec)_mm512_set1_ps(x);
}
INLINE vec multiply_add(vec a, vec b, vec c)
{
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
INLINE vec max(vec a, vec b)
{
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
}
INLINE vec min(vec a, vec b)
{
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
}
#elif SCARLET__VECTOR == 8
INLINE vec splat(float x)
{
    return (vec)_mm256_set1_ps(x);
}
INLINE vec multiply_add(vec a, vec b, vec c)
{
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
INLINE vec max(vec a, vec b)
{
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
}
INLINE vec min(vec a, vec b)
{
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
}
#else
INLINE vec splat(float x)
{
    return (vec){x, x, x, x};
}
INLINE vec multiply_add(vec a, vec b, vec c)
{
#if defined(__aarch64__)
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}
#if defined(__SSE2__)
INLINE vec max(vec a, vec b)
{
    return (vec)_mm_max_ps((__m128)a, (__m128)b);
}
INLINE vec min(vec a, vec b)
{
    return (vec)_mm_min_ps((__m128)a, (__m128)b);
}
#else
/* As x86's: where one is NaN, the second. ARM's own give NaN. */
typedef int mask __attribute__((vector_size(SCARLET__VECTOR * 4)));
INLINE vec pick(mask m, vec a, vec b)
{
    return (vec)(((mask)a & m) | ((mask)b & ~m));
}
INLINE vec max(vec a, vec b)
{
    return pick(a > b, a, b);
}
INLINE vec min(vec a, vec b)
{
    return pick(a < b, a, b);
}
#endif
#endif

/* ---- integers ---- */

typedef int32_t ivec __attribute__((vector_size(SCARLET__VECTOR * 4)));
typedef uint32_t uvec __attribute__((vector_size(SCARLET__VECTOR * 4)));
typedef int32_t ivec_in_memory
    __attribute__((vector_size(SCARLET__VECTOR * 4), aligned(4), may_alias));
typedef int32_t group_in_memory __attribute__((may_alias, aligned(1)));

INLINE ivec load_integers(const void *p)
{
    return *(const ivec_in_memory *)p;
}
/* The four bytes at p in every lane. */
INLINE ivec splat_integer(const void *p)
{
    const int32_t x = *(const group_in_memory *)p;
#if SCARLET__VECTOR == 16
    return (ivec)_mm512_set1_epi32(x);
#elif SCARLET__VECTOR == 8
    return (ivec)_mm256_set1_epi32(x);
#else
    return (ivec){x, x, x, x};
#endif
}
INLINE vec to_float(ivec x)
{
    return __builtin_convertvector(x, vec);
}

/* The nearest integers, halves to even; x is within their range. */
INLINE ivec to_integer(vec x)
{
#if SCARLET__VECTOR == 16
    return (ivec)_mm512_cvtps_epi32((__m512)x);
#elif SCARLET__VECTOR == 8
    return (ivec)_mm256_cvtps_epi32((__m256)x);
#elif defined(__SSE2__)
    return (ivec)_mm_cvtps_epi32((__m128)x);
#else
    const vec shift = splat(0x1.8p23f); /* its last bit is worth 1 */
    return (ivec)(x + shift) - (ivec)shift;
#endif
}

/* The same, but to be stored as words or bytes: a NaN becomes 0. With AVX-512 it is 0x80000000,
 * and stores cut that off. */
INLINE ivec to_stored(vec x)
{
#if SCARLET__VECTOR == 16
    return to_integer(x);
#else
    return to_integer(x) & (x == x);
#endif
}
/* Of what is not negative: minus infinity becomes 0 too. */
INLINE ivec to_stored_natural(vec x)
{
#if SCARLET__VECTOR == 16
    return to_integer(x);
#else
    return to_integer(max(x, splat(0)));
#endif
}

/* acc + the products of two words in each lane. */
INLINE ivec dot_words(ivec acc, ivec x, ivec w)
{
#if SCARLET__VECTOR == 16 && defined(__AVX512VNNI__)
    /* gcc 12 spills accumulators around the intrinsic. */
    __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
    return acc;
#elif SCARLET__VECTOR == 16
    return acc + (ivec)_mm512_madd_epi16((__m512i)x, (__m512i)w);
#elif SCARLET__VECTOR == 8
    return acc + (ivec)_mm256_madd_epi16((__m256i)x, (__m256i)w);
#elif defined(__SSE2__)
    return acc + (ivec)_mm_madd_epi16((__m128i)x, (__m128i)w);
#else
    const ivec low_x = (ivec)((uvec)x << 16) >> 16, low_w = (ivec)((uvec)w << 16) >> 16;
    return acc + low_x * low_w + (x >> 16) * (w >> 16);
#endif
}

#if SCARLET__VECTOR == 16 && defined(__AVX512VNNI__)
#define SCARLET__BYTES /* the set has the byte kernels */
/* acc + the products of four unsigned bytes of x and signed ones of w in each lane. */
INLINE ivec dot_bytes(ivec acc, ivec x, ivec w)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
    return acc;
}
#endif

/* x as words, or as bytes; its values fit. */
INLINE void store_words(int16_t *p, ivec x)
{
#if SCARLET__VECTOR == 16
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16((__m512i)x));
#elif SCARLET__VECTOR == 8
    __m256i pairs = _mm256_packs_epi32((__m256i)x, (__m256i)x);
    _mm_storeu_si128((__m128i *)(void *)p,
                     _mm256_castsi256_si128(_mm256_permute4x64_epi64(pairs, 0xd8)));
#else
    for (int i = 0; i < VL; i++)
        p[i] = (int16_t)x[i];
#endif
}
#if SCARLET__VECTOR == 16
INLINE void store_bytes(uint8_t *p, ivec x)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8((__m512i)x));
}
#endif

/* Signed integers of memory as floats. */
INLINE vec load_bytes(const int8_t *p)
{
#if SCARLET__VECTOR == 16
    return (vec)_mm512_cvtepi32_ps(
        _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
#elif SCARLET__VECTOR == 8
    return (vec)_mm256_cvtepi32_ps(
        _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)p)));
#else
    return (vec){(float)p[0], (float)p[1], (float)p[2], (float)p[3]};
#endif
}
INLINE vec load_words(const int16_t *p)
{
#if SCARLET__VECTOR == 16
    return (vec)_mm512_cvtepi32_ps(
        _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p)));
#elif SCARLET__VECTOR == 8
    return (vec)_mm256_cvtepi32_ps(
        _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p)));
#else
    return (vec){(float)p[0], (float)p[1], (float)p[2], (float)p[3]};
#endif
}

INLINE vec absolute(vec x)
{
    return (vec)((ivec)x & 0x7fffffff);
}

/* 8 floats in any set. By address to functions: not all sets could pass it in a register. */
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

/* The largest lanes of `count` vectors, up to 8; the rest of `out` means nothing. */
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
    /* By memory: cheaper than to move lane by lane. */
    union {
        vec8 all;
        float one[8];
    } scales = {most / levels}, inverse = {levels / most};
    __builtin_memcpy(scale, scales.one, (size_t)pixels * sizeof *scale);
    UNROLL for (int i = 0; i < pixels; i++) m[i] = splat(inverse.one[i]);
}

/* ---- activations ---- */

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

#endif
