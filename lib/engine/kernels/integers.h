/* Vectors of 32-bit integers; products, loads and stores of the words and bytes in them. */
#ifndef SCARLET_ENGINE_KERNELS_INTEGERS_H
#define SCARLET_ENGINE_KERNELS_INTEGERS_H

#include "engine/kernels/vector.h"

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

/* As to_integer, for storing as words or bytes: a NaN becomes 0. (With AVX-512 it is 0x80000000,
 * whose low bytes are 0.) */
INLINE ivec to_stored(vec x)
{
#if SCARLET__VECTOR == 16
    return to_integer(x);
#else
    return to_integer(x) & (x == x);
#endif
}
/* As to_stored, of numbers that are not negative: minus infinity becomes 0 too. */
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

/* Signed integers in memory, as floats. */
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

#endif
