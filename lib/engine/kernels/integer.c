/*
 * Products of integers and what makes integers of activations.
 *
 * Quantisers take 7 pixels at once: that many independent maxima.
 */
#include "engine/kernels/activations.h"
#include "engine/kernels/integer_sums.h"
#include "engine/kernels/scales.h"

enum { PIXELS = SCARLET__TILE };

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

INLINE void tile(int group, int rows, int columns, scarlet__activation a, bool added,
                 const scarlet__integer_gemm *g, size_t row)
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
            if (added)
                y += load(g->residual + (row + (size_t)i) * ldo + j * VL);
            store(out + (size_t)i * ldo + j * VL, activate(y, a));
        }
    }
}

INLINE void sweep(int group, int columns, scarlet__activation a, bool added,
                  const scarlet__integer_gemm *g){
    SWEEP(g, tile(group, rows, columns, a, added, g, row))}

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
INLINE void hidden_tile(int group, bool gated, int pixels, const scarlet__hidden *h, size_t p,
                        size_t channels)
{
    const scarlet__segment *segment = h->segment;
    const size_t segments = h->segments;
    const vec least = splat(h->least);
    void *q = h->q;
    vec m[PIXELS];
    const float *g = h->gate;
    UNROLL for (int i = 0; i < pixels; i++) m[i] = splat(0);
    for (size_t s = 0; s < segments; s++) {
        const size_t stride = segment[s].stride;
        const float *x = segment[s].a + p * stride;
        for (size_t c = 0; c < segment[s].k; c += VL, x += VL, g += gated ? VL : 0) {
            UNROLL for (int i = 0; i < pixels; i++) m[i] =
                max(load_gated(gated, x + (size_t)i * stride, g), m[i]);
        }
    }
    take_scales(pixels, h->least, h->levels, m, h->scale + p);
    g = h->gate;
    size_t at = p * channels;
    for (size_t s = 0; s < segments; s++) {
        const size_t stride = segment[s].stride;
        const float *x = segment[s].a + p * stride;
        for (size_t c = 0; c < segment[s].k; c += VL, x += VL, at += VL, g += gated ? VL : 0) {
            UNROLL for (int i = 0; i < pixels; i++)
            {
                vec y = load_gated(gated, x + (size_t)i * stride, g);
                y = (y + least) * m[i];
                store_values(group, q, at + (size_t)i * channels, to_stored_natural(y));
            }
        }
    }
}

INLINE void hidden(int group, bool gated, const scarlet__hidden *h)
{
    const size_t pixels = h->pixels, channels = hidden_channels(h);
    size_t p = 0;
    for (; p + PIXELS <= pixels; p += PIXELS)
        hidden_tile(group, gated, PIXELS, h, p, channels);
    for (; p < pixels; p++)
        hidden_tile(group, gated, 1, h, p, channels);
}

/* Multiplies by zeros that the compiler cannot see, so that no sum overflows. */
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
    static void type##_hidden(const scarlet__hidden *h)                                            \
    {                                                                                              \
        if (h->gate)                                                                               \
            hidden(group, true, h);                                                                \
        else                                                                                       \
            hidden(group, false, h);                                                               \
    }                                                                                              \
    static float type##_peak(size_t steps)                                                         \
    {                                                                                              \
        return peak(group, steps);                                                                 \
    }

GEMMS(words_gemm, scarlet__integer_gemm, sweep(WORDS, columns, a, added, g))
QUANTISERS(words, WORDS)
#ifdef SCARLET__BYTES
GEMMS(bytes_gemm, scarlet__integer_gemm, sweep(BYTES, columns, a, added, g))
QUANTISERS(bytes, BYTES)
#endif

/* ---- matrix times vector: only the weights are integers ---- */

enum { AHEAD = 2048 }; /* weights to fetch ahead */

INLINE vec load_weights(int bits, const void *w, size_t at)
{
    return bits == 8 ? load_bytes((const int8_t *)w + at) : load_words((const int16_t *)w + at);
}

INLINE void panel(int bits, int columns, const float *x, size_t k, const void *w,
                  const float *scale, const float *bias, float *y)
{
    vec acc[SCARLET__GEMV_VECTORS];
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
    PANEL(vectors, panel(bits, columns, x, k, w, scale, bias, y))
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
