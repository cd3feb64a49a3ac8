/*
 * One vector type for every instruction set. Kernels are written in it once and compiled for each
 * set, with SCARLET__VECTOR (4, 8 or 16) floats a vector and names that end in SCARLET__SUFFIX.
 *
 * The width is part of the type, and the set a matter of compiler flags: hence one object file a
 * set. Loops that are written anew for each set, in intrinsics (image/pixel_ops_avx2.c), or that
 * the compiler vectorises by itself (engine/scale.c), have target attributes instead, and need no
 * flags.
 *
 * The header needs no other: whatever else has kernels may include it.
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

/* p needs the alignment of a float only. */
INLINE vec load(const float *p)
{
    return *(const vec_in_memory *)p;
}
INLINE void store(float *p, vec x)
{
    *(vec_in_memory *)p = x;
}

/*
 * splat(x) is x in every lane; max and min return the second operand if either is NaN.
 *
 * multiply_add(a, b, c) is a * b + c, rounded once where the set has such an instruction. It is
 * spelled out: left to themselves, gcc 13 and later contract some loops and not others
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
/* Not ARM's own: they return NaN if either is. */
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

#endif
