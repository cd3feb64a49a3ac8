/*
 * Products of integers and what makes integers of activations.
 *
 * The tiles are those of gemm.c. Quantisers take 7 pixels at once: as many independent maxima.
 */
#include "engine/kernels/integer_sums.h"

#if SCARLET__VECTOR == 16
enum { ROWS = 7 };
#else
enum { ROWS = 4 };
#endif
enum { COLUMNS = SCARLET__GEMM_VECTORS, PANEL = SCARLET__GEMV_VECTORS, PIXELS = SCARLET__TILE };

INLINE void store_values(int group, void *q, size_t at, ivec x)
{
#ifdef SCARLET__BYTES
    if (group == BYTES) {
        store_bytes((uint8_t *)q + at, x);
        return;
    }
#endif
    (void)group;
    store_words((int16_t *)q + at, x);
}

/* ---- products ---- */

typedef enum { LINEAR, RELU6, HSWISH6, RESIDUAL } epilogue;

INLINE void tile(int group, int rows, int columns, epilogue e, const scarlet__integer_gemm *g,
                 size_t row)
{
    ivec acc[ROWS][COLUMNS];
    const size_t ldo = g->out_stride;
    float *out = g->out + row * ldo;
    integer_sums(group, rows, columns, g, row, acc);
    UNROLL for (int j = 0; j < columns; j++)
    {
        vec scale = load(g->scale + j * VL), bias = load(g->bias + j * VL);
        UNROLL for (int i = 0; i < rows; i++)
        {
            vec x = to_float(acc[i][j]) * splat(g->a_scale[row + (size_t)i]);
            vec y = multiply_add(x, scale, bias);
            if (e == RESIDUAL)
                y += load(g->residual + (row + (size_t)i) * ldo + j * VL);
            store(out + (size_t)i * ldo + j * VL, e == HSWISH6 ? hswish6(y)
                                                  : e == RELU6 ? relu6(y)
                                                               : y);
        }
    }
}

/* All rows with `columns` vectors: whole tiles, then the rest in smaller ones. */
INLINE void sweep(int group, int columns, epilogue e, const scarlet__integer_gemm *g)
{
    size_t row = 0;
    for (; row + ROWS <= g->rows; row += ROWS)
        tile(group, ROWS, columns, e, g, row);
    for (; row + ROWS / 2 <= g->rows; row += ROWS / 2)
        tile(group, ROWS / 2, columns, e, g, row);
    for (; row < g->rows; row++)
        tile(group, 1, columns, e, g, row);
}

/* Not inlined: each is a loop of its own with its own registers. */
#define GEMM(name, group, e)                                                                       \
    static __attribute__((noinline)) void name##1(const scarlet__integer_gemm *g)                  \
    {                                                                                              \
        sweep(group, 1, e, g);                                                                     \
    }                                                                                              \
    static __attribute__((noinline)) void name##2(const scarlet__integer_gemm *g)                  \
    {                                                                                              \
        sweep(group, 2, e, g);                                                                     \
    }                                                                                              \
    static __attribute__((noinline)) void name##3(const scarlet__integer_gemm *g)                  \
    {                                                                                              \
        sweep(group, 3, e, g);                                                                     \
    }
#define GEMMS(type, group)                                                                         \
    GEMM(type##_linear, group, LINEAR)                                                             \
    GEMM(type##_clamped, group, RELU6)                                                             \
    GEMM(type##_swished, group, HSWISH6)                                                           \
    GEMM(type##_added, group, RESIDUAL)                                                            \
    static void type##_gemm(const scarlet__integer_gemm *g)                                        \
    {                                                                                              \
        static void (*const table[4][COLUMNS])(const scarlet__integer_gemm *) = {                  \
            {type##_linear1, type##_linear2, type##_linear3},                                      \
            {type##_clamped1, type##_clamped2, type##_clamped3},                                   \
            {type##_swished1, type##_swished2, type##_swished3},                                   \
            {type##_added1, type##_added2, type##_added3},                                         \
        };                                                                                         \
        epilogue e = g->residual                         ? RESIDUAL                                \
                     : g->activation == SCARLET__HSWISH6 ? HSWISH6                                 \
                     : g->activation == SCARLET__RELU6   ? RELU6                                   \
                                                         : LINEAR;                                   \
        table[e][g->vectors - 1](g);                                                               \
    }

/* ---- quantisers ---- */

INLINE void quantize_tile(int group, int pixels, const float *x, size_t channels, float levels,
                          void *q, size_t at, float *scale)
{
    const int32_t offset = group == BYTES ? 128 : 0;
    vec m[PIXELS];
    UNROLL for (int i = 0; i < pixels; i++) m[i] = splat(1e-20f); /* for a pixel of zeros */
    for (size_t c = 0; c < channels; c += VL) {
        UNROLL for (int i = 0; i < pixels; i++) m[i] =
            max(absolute(load(x + (size_t)i * channels + c)), m[i]);
    }
    take_scales(pixels, 0, levels, m, scale);
    for (size_t c = 0; c < channels; c += VL) {
        UNROLL for (int i = 0; i < pixels; i++)
        {
            size_t place = (size_t)i * channels + c;
            store_values(group, q, at + place, to_stored(load(x + place) * m[i]) + offset);
        }
    }
}

INLINE void quantize(int group, const float *x, size_t pixels, size_t channels, float levels,
                     void *q, float *scale)
{
    size_t p = 0;
    for (; p + PIXELS <= pixels; p += PIXELS)
        quantize_tile(group, PIXELS, x + p * channels, channels, levels, q, p * channels,
                      scale + p);
    for (; p < pixels; p++)
        quantize_tile(group, 1, x + p * channels, channels, levels, q, p * channels, scale + p);
}

INLINE vec load_gated(bool gated, const float *x, const float *gate)
{
    return gated ? load(x) * load(gate) : load(x);
}

/* Pixels from number p on. */
INLINE void hidden_tile(int group, bool gated, int pixels, const scarlet__segment *segment,
                        size_t segments, const float *gate, size_t p, size_t channels, float levels,
                        void *q, float *scale)
{
    vec m[PIXELS];
    const float *g = gate;
    UNROLL for (int i = 0; i < pixels; i++) m[i] = splat(0);
    for (size_t s = 0; s < segments; s++) {
        const size_t stride = segment[s].stride;
        const float *x = segment[s].a + p * stride;
        for (size_t c = 0; c < segment[s].k; c += VL, x += VL, g += gated ? VL : 0) {
            UNROLL for (int i = 0; i < pixels; i++) m[i] =
                max(load_gated(gated, x + (size_t)i * stride, g), m[i]);
        }
    }
    take_scales(pixels, SCARLET__HSWISH6_LEAST, levels, m, scale);
    g = gate;
    size_t at = p * channels;
    for (size_t s = 0; s < segments; s++) {
        const size_t stride = segment[s].stride;
        const float *x = segment[s].a + p * stride;
        for (size_t c = 0; c < segment[s].k; c += VL, x += VL, at += VL, g += gated ? VL : 0) {
            UNROLL for (int i = 0; i < pixels; i++)
            {
                vec y = load_gated(gated, x + (size_t)i * stride, g);
                y = (y + splat(SCARLET__HSWISH6_LEAST)) * m[i];
                store_values(group, q, at + (size_t)i * channels, to_stored_natural(y));
            }
        }
    }
}

INLINE void hidden(int group, bool gated, const scarlet__segment *segment, size_t segments,
                   const float *gate, size_t pixels, float levels, void *q, float *scale)
{
    size_t p = 0, channels = 0;
    for (size_t s = 0; s < segments; s++)
        channels += segment[s].k;
    for (; p + PIXELS <= pixels; p += PIXELS)
        hidden_tile(group, gated, PIXELS, segment, segments, gate, p, channels, levels, q,
                    scale + p);
    for (; p < pixels; p++)
        hidden_tile(group, gated, 1, segment, segments, gate, p, channels, levels, q, scale + p);
}

/* Multiplies by zeros that the compiler does not know of, so that no sum overflows. */
INLINE float peak(int group, size_t steps)
{
    enum { CHAINS = SCARLET__PEAK_CHAINS };
    static const volatile int32_t nothing = 0;
    const int32_t zero = nothing;
    ivec acc[CHAINS], total = {0}, x = splat_integer(&zero);
    UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = total + i;
    for (; steps > 0; steps--) {
        UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = dot(group, acc[i], x, acc[i]);
    }
    UNROLL for (int i = 0; i < CHAINS; i++) total += acc[i];
    return (float)total[0];
}

#define QUANTISERS(type, group)                                                                    \
    static void type##_quantize(const float *x, size_t pixels, size_t channels, float levels,      \
                                void *q, float *scale)                                             \
    {                                                                                              \
        quantize(group, x, pixels, channels, levels, q, scale);                                    \
    }                                                                                              \
    static void type##_hidden(const scarlet__segment *segment, size_t segments, const float *gate, \
                              size_t pixels, float levels, void *q, float *scale)                  \
    {                                                                                              \
        if (gate)                                                                                  \
            hidden(group, true, segment, segments, gate, pixels, levels, q, scale);                \
        else                                                                                       \
            hidden(group, false, segment, segments, NULL, pixels, levels, q, scale);               \
    }                                                                                              \
    static float type##_peak(size_t steps)                                                         \
    {                                                                                              \
        return peak(group, steps);                                                                 \
    }

GEMMS(words, WORDS)
QUANTISERS(words, WORDS)
#ifdef SCARLET__BYTES
GEMMS(bytes, BYTES)
QUANTISERS(bytes, BYTES)
#endif

/* ---- matrix times vector: the weights alone are integers ---- */

enum { AHEAD = 2048 }; /* weights to fetch ahead */

INLINE vec load_weights(int bits, const void *w, size_t at)
{
    return bits == 8 ? load_bytes((const int8_t *)w + at) : load_words((const int16_t *)w + at);
}

INLINE void panel(int bits, int columns, const float *x, size_t k, const void *w,
                  const float *scale, const float *bias, float *y)
{
    vec acc[PANEL];
    size_t at = 0;
    UNROLL for (int j = 0; j < columns; j++) acc[j] = splat(0);
    for (size_t i = 0; i < k; i++, at += (size_t)columns * VL) {
        vec a = splat(x[i]);
        __builtin_prefetch((const char *)w + (at + AHEAD) * (size_t)bits / 8);
        UNROLL for (int j = 0; j < columns; j++) acc[j] =
            multiply_add(a, load_weights(bits, w, at + (size_t)j * VL), acc[j]);
    }
    UNROLL for (int j = 0; j < columns; j++)
        store(y + j * VL, multiply_add(acc[j], load(scale + j * VL), load(bias + j * VL)));
}

INLINE void gemv(int bits, const float *x, size_t k, const void *w, const float *scale,
                 const float *bias, float *y, int vectors)
{
    switch (vectors) {
    case 1:
        panel(bits, 1, x, k, w, scale, bias, y);
        break;
    case 2:
        panel(bits, 2, x, k, w, scale, bias, y);
        break;
    case 3:
        panel(bits, 3, x, k, w, scale, bias, y);
        break;
    case 4:
        panel(bits, 4, x, k, w, scale, bias, y);
        break;
    case 5:
        panel(bits, 5, x, k, w, scale, bias, y);
        break;
    default:
        panel(bits, 6, x, k, w, scale, bias, y);
        break;
    }
}

static void gemv8(const float *x, size_t k, const int8_t *w, const float *scale, const float *bias,
                  float *y, int vectors)
{
    gemv(8, x, k, w, scale, bias, y, vectors);
}

static void gemv16(const float *x, size_t k, const int16_t *w, const float *scale,
                   const float *bias, float *y, int vectors)
{
    gemv(16, x, k, w, scale, bias, y, vectors);
}

void KERNEL(fill_integer)(scarlet__kernels *k)
{
    k->words =
        (scarlet__integer_kernels){WORDS, 0, words_gemm, words_quantize, words_hidden, words_peak};
#ifdef SCARLET__BYTES
    k->bytes = (scarlet__integer_kernels){BYTES,          128,          bytes_gemm,
                                          bytes_quantize, bytes_hidden, bytes_peak};
#endif
    k->gemv8 = gemv8;
    k->gemv16 = gemv16;
}
