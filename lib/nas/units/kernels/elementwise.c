/* Batch norm and activations where a tensor is read, their derivatives, and sums. */
#include "nas/units/kernels/set.h"

/* a < b ? x : y */
INLINE vec where_less(vec a, vec b, vec x, vec y)
{
#if SCARLET__VECTOR == 16
    return (vec)_mm512_mask_blend_ps(_mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OS),
                                     (__m512)y, (__m512)x);
#elif SCARLET__VECTOR == 8
    return (vec)_mm256_blendv_ps((__m256)y, (__m256)x,
                                 _mm256_cmp_ps((__m256)a, (__m256)b, _CMP_LT_OS));
#else
    typedef int mask __attribute__((vector_size(sizeof(vec))));
    const mask less = a < b;
    return (vec)(((mask)x & less) | ((mask)y & ~less));
#endif
}

enum { AHEAD = 32 }; /* pixels */

/* Tensors that come from beyond the second-level cache are read faster when asked for early. */
INLINE void ahead(const float *x)
{
    __builtin_prefetch(x + AHEAD * LANES, 0, 3);
}

/* A NaN stays one: max and min give their second where one is NaN. */
INLINE vec between(vec low, vec high, vec x)
{
    return min(high, max(low, x));
}

INLINE vec hard_sigmoid(vec z)
{
    return between(splat(0), splat(1), multiply_add(z, splat(1.0f / 6), splat(0.5f)));
}

INLINE vec value(scarlet__nonlinearity f, vec z)
{
    switch (f) {
    case SCARLET__F_RELU:
        return max(splat(0), z);
    case SCARLET__F_RELU6:
        return between(splat(0), splat(6), z);
    case SCARLET__F_HSWISH:
        return z * hard_sigmoid(z);
    case SCARLET__F_HARD_SIGMOID:
        return hard_sigmoid(z);
    default:
        return z;
    }
}

/* g * f'(z); kinks as PyTorch has them */
INLINE vec chained(scarlet__nonlinearity f, vec z, vec g)
{
    const vec none = splat(0);
    switch (f) {
    case SCARLET__F_RELU:
        return where_less(none, z, g, none);
    case SCARLET__F_RELU6:
        return where_less(none, z, where_less(z, splat(6), g, none), none);
    case SCARLET__F_HSWISH: {
        vec slope = multiply_add(z, splat(1.0f / 3), splat(0.5f));
        slope = where_less(z, splat(-3), none, slope);
        return g * where_less(splat(3), z, splat(1), slope);
    }
    case SCARLET__F_HARD_SIGMOID:
        return where_less(splat(-3), z, where_less(z, splat(3), g * splat(1.0f / 6), none), none);
    default:
        return g;
    }
}

INLINE void activate(scarlet__nonlinearity f, const float *x, const float *scale,
                     const float *shift, const float *gain, const scarlet__rectangle *r, float *out)
{
    for (int v = 0; v < LANES; v += VL) {
        const vec a = load(scale + v), b = load(shift + v), c = gain ? load(gain + v) : splat(1);
        const float *from = x + v;
        for (size_t row = 0; row < r->height; row++) {
            float *to = out + row * r->out_row + v;
            for (size_t n = r->width; n > 0; n--, from += LANES, to += LANES) {
                ahead(from);
                const vec y = value(f, multiply_add(load(from), a, b));
                store(to, gain ? c * y : y);
            }
        }
    }
}

INLINE void pool(scarlet__nonlinearity f, const float *x, const float *scale, const float *shift,
                 const float *g, size_t pixels, float *sums)
{
    for (int v = 0; v < LANES; v += VL) {
        const vec a = load(scale + v), b = load(shift + v);
        vec sum = load(sums + v), product = load(sums + LANES + v);
        for (size_t p = 0; p < pixels; p++) {
            vec y = value(f, multiply_add(load(x + p * LANES + v), a, b));
            sum += y;
            if (g)
                product = multiply_add(y, load(g + p * LANES + v), product);
        }
        store(sums + v, sum);
        store(sums + LANES + v, product);
    }
}

INLINE void derive(scarlet__nonlinearity f, const float *g, const float *x, const float *scale,
                   const float *shift, const float *gain, const float *offset, size_t pixels,
                   float *out, float *sums)
{
    for (int v = 0; v < LANES; v += VL) {
        const vec a = load(scale + v), b = load(shift + v), c = load(gain + v),
                  d = load(offset + v);
        vec sum = load(sums + v), product = load(sums + LANES + v);
        for (size_t i = (size_t)v, end = pixels * LANES; i < end; i += LANES) {
            ahead(x + i);
            vec in = load(x + i);
            vec y = chained(f, multiply_add(in, a, b), g ? multiply_add(load(g + i), c, d) : d);
            store(out + i, y);
            sum += y;
            product = multiply_add(y, in, product);
        }
        store(sums + v, sum);
        store(sums + LANES + v, product);
    }
}

#define OF(f, name)                                                                                \
    static void activate_##name(const float *x, const float *scale, const float *shift,            \
                                const float *gain, const scarlet__rectangle *r, float *out)        \
    {                                                                                              \
        if (gain)                                                                                  \
            activate(f, x, scale, shift, gain, r, out);                                            \
        else                                                                                       \
            activate(f, x, scale, shift, NULL, r, out);                                            \
    }                                                                                              \
    static void pool_##name(const float *x, const float *scale, const float *shift,                \
                            const float *g, size_t pixels, float *sums)                            \
    {                                                                                              \
        if (g)                                                                                     \
            pool(f, x, scale, shift, g, pixels, sums);                                             \
        else                                                                                       \
            pool(f, x, scale, shift, NULL, pixels, sums);                                          \
    }                                                                                              \
    static void derive_##name(const float *g, const float *x, const float *scale,                  \
                              const float *shift, const float *gain, const float *offset,          \
                              size_t pixels, float *out, float *sums)                              \
    {                                                                                              \
        if (g)                                                                                     \
            derive(f, g, x, scale, shift, gain, offset, pixels, out, sums);                        \
        else                                                                                       \
            derive(f, NULL, x, scale, shift, gain, offset, pixels, out, sums);                     \
    }
OF(SCARLET__F_IDENTITY, identity)
OF(SCARLET__F_RELU, relu)
OF(SCARLET__F_RELU6, relu6)
OF(SCARLET__F_HSWISH, hswish)
OF(SCARLET__F_HARD_SIGMOID, hard_sigmoid)

static void combine(const float *g, const float *x, const float *a, const float *b, const float *c,
                    const scarlet__rectangle *r, float *out)
{
    for (int v = 0; v < LANES; v += VL) {
        const vec of_g = load(a + v), of_x = load(b + v), constant = load(c + v);
        size_t i = (size_t)v;
        for (size_t row = 0; row < r->height; row++) {
            float *to = out + row * r->out_row + v;
            for (size_t n = r->width; n > 0; n--, i += LANES, to += LANES) {
                ahead(g + i);
                ahead(x + i);
                store(to,
                      multiply_add(load(g + i), of_g, multiply_add(load(x + i), of_x, constant)));
            }
        }
    }
}

static void normalize(const float *x, const float *scale, const float *shift, const float *residual,
                      size_t pixels, float *out)
{
    for (int v = 0; v < LANES; v += VL) {
        const vec a = load(scale + v), b = load(shift + v);
        for (size_t i = (size_t)v, end = pixels * LANES; i < end; i += LANES) {
            vec y = multiply_add(load(x + i), a, b);
            store(out + i, residual ? y + load(residual + i) : y);
        }
    }
}

/* 2^n times a polynomial in the rest, within 2 units of the last place; below e^-87, 0. */
static void exponential(float *x, size_t plane, size_t planes, float most)
{
    typedef int bits __attribute__((vector_size(sizeof(vec))));
    for (; planes > 0; planes--, x += plane) {
        for (int v = 0; v < LANES; v += VL) {
            const vec in = load(x + v) - splat(most), low = splat(-87);
            const vec z = max(low, in);
            const vec shift = splat(0x1.8p23f); /* its last bit is worth 1 */
            const vec shifted = multiply_add(z, splat(0x1.715476p0f), shift);
            const vec n = shifted - shift;
            vec r = multiply_add(n, splat(-0x1.62e4p-1f), z);
            r = multiply_add(n, splat(-0x1.7f7d1cp-20f), r);
            vec sum = splat(1.0f / 5040);
            sum = multiply_add(sum, r, splat(1.0f / 720));
            sum = multiply_add(sum, r, splat(1.0f / 120));
            sum = multiply_add(sum, r, splat(1.0f / 24));
            sum = multiply_add(sum, r, splat(1.0f / 6));
            sum = multiply_add(sum, r, splat(0.5f));
            sum = multiply_add(sum, r, splat(1));
            sum = multiply_add(sum, r, splat(1));
            const vec scale = (vec)(((bits)shifted << 23) + 0x3f800000);
            store(x + v, where_less(in, low, splat(0), sum * scale));
        }
    }
}

static void correlate(const float *g, const float *x, size_t pixels, float *sums)
{
    for (int v = 0; v < LANES; v += VL) {
        enum { CHAINS = 4 }; /* additions wait for each other */
        vec sum[CHAINS] = {load(sums + v)}, product[CHAINS] = {load(sums + LANES + v)};
        size_t p = 0;
        for (; p + CHAINS <= pixels; p += CHAINS) {
            UNROLL for (size_t j = 0; j < CHAINS; j++)
            {
                const size_t i = (p + j) * LANES + (size_t)v;
                sum[j] += load(g + i);
                product[j] = multiply_add(load(g + i), load(x + i), product[j]);
            }
        }
        for (; p < pixels; p++) {
            const size_t i = p * LANES + (size_t)v;
            sum[0] += load(g + i);
            product[0] = multiply_add(load(g + i), load(x + i), product[0]);
        }
        store(sums + v, (sum[0] + sum[1]) + (sum[2] + sum[3]));
        store(sums + LANES + v, (product[0] + product[1]) + (product[2] + product[3]));
    }
}

void KERNEL(fill_training_elementwise)(scarlet__training_kernels *k)
{
#define ALL(f, name)                                                                               \
    k->activate[f] = activate_##name;                                                              \
    k->pool[f] = pool_##name;                                                                      \
    k->derive[f] = derive_##name;
    ALL(SCARLET__F_IDENTITY, identity)
    ALL(SCARLET__F_RELU, relu)
    ALL(SCARLET__F_RELU6, relu6)
    ALL(SCARLET__F_HSWISH, hswish)
    ALL(SCARLET__F_HARD_SIGMOID, hard_sigmoid)
    k->combine = combine;
    k->normalize = normalize;
    k->exponential = exponential;
    k->correlate = correlate;
}
