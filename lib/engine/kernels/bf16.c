/*
 * Blocks whose inner activations are bfloat16: products of two of them, or of four bytes, in a
 * lane.
 *
 * A row that a depthwise part reads consists of pairs: a lane of 32 bits holds a channel of pixel
 * 2i (low half) and of pixel 2i + 1. One instruction multiplies both by two neighbouring weights.
 * Outputs at even and at odd places read the same pairs: the weights of the latter are shifted by
 * one place.
 *
 * vdpbf16ps and vpdpbusd are written in assembly: gcc 12 spills accumulators around their
 * intrinsics.
 */
#include "engine/kernels/activations.h"
#include "engine/kernels/integer_sums.h"
#include "engine/kernels/scales.h"

enum {
    MANY_ROWS = 14, /* of a single column: as many chains of additions as keep the CPU busy */
    PIXELS = SCARLET__TILE,
    EVEN = 14, /* outputs of a depthwise step; twice as many as a step of floats has, so that each
                  begins with a whole pair */
    SHORT = 8, /* for narrow rows, and ends of rows */
    PAIRS = 4, /* of weights of a kernel row, at most */
};

INLINE vec dot_pairs(vec acc, vec x, vec w)
{
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(x), "v"(w));
    return acc;
}
INLINE const uint16_t *halves(const float *p)
{
    return (const uint16_t *)(const void *)p;
}

/* ---- from floats: the upper half of each, which is cheaper than rounding ---- */

/* low and high side by side in each lane. */
INLINE __m512i join_pairs(vec low, vec high)
{
    const __m512i order =
        _mm512_set_epi16(63, 31, 61, 29, 59, 27, 57, 25, 55, 23, 53, 21, 51, 19, 49, 17, 47, 15, 45,
                         13, 43, 11, 41, 9, 39, 7, 37, 5, 35, 3, 33, 1);
    return _mm512_permutex2var_epi16((__m512i)low, order, (__m512i)high);
}

/* `rows` pixels of a channel vector, the first at an odd place if `odd`, as pairs `stride` lanes
 * apart: the halves of other pixels stay. */
INLINE void store_pairs(int rows, int odd, const vec *y, float *out, size_t stride)
{
    UNROLL for (int i = 0; i < rows; i++)
    {
        float *at = out + (size_t)((i + odd) / 2) * stride;
        if ((i + odd) % 2 && i > 0)
            _mm512_storeu_si512(at, join_pairs(y[i - 1], y[i]));
        else if ((i + odd) % 2)
            _mm512_mask_storeu_epi16(at, 0xAAAAAAAA, (__m512i)y[i]);
        else if (i == rows - 1)
            _mm512_mask_storeu_epi16(at, 0x55555555, _mm512_srli_epi32((__m512i)y[i], 16));
    }
}

/* `count` of `rows` pixels of a channel vector, `stride` halves apart. */
INLINE void store_pixels(int rows, size_t count, const vec *y, uint16_t *out, size_t stride)
{
    const __m512i order =
        _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31, 29, 27,
                         25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    UNROLL for (int i = 0; i < rows; i += 2)
    {
        const int last = i + 1 < rows ? i + 1 : i;
        __m512i two = _mm512_permutex2var_epi16((__m512i)y[i], order, (__m512i)y[last]);
        if ((size_t)i < count)
            _mm256_storeu_si256((__m256i *)(void *)(out + (size_t)i * stride),
                                _mm512_castsi512_si256(two));
        if (i < last && (size_t)last < count)
            _mm256_storeu_si256((__m256i *)(void *)(out + (size_t)last * stride),
                                _mm512_extracti64x4_epi64(two, 1));
    }
}

/* ---- products of bytes, into pairs ---- */

INLINE void byte_tile(int rows, int columns, int odd, scarlet__activation a,
                      const scarlet__integer_gemm *g, size_t row)
{
    ivec acc[ROWS][COLUMNS];
    float *out = g->out + row / 2 * g->out_stride;
    integer_sums(BYTES, rows, columns, g, row, acc);
    UNROLL for (int j = 0; j < columns; j++)
    {
        vec scale = load(g->scale + j * VL), bias = load(g->bias + j * VL), y[ROWS];
        UNROLL for (int i = 0; i < rows; i++)
        {
            vec x = to_float(acc[i][j]) * splat(g->a_scale[row + (size_t)i]);
            y[i] = activate(multiply_add(x, scale, bias), a);
        }
        store_pairs(rows, odd, y, out + j * VL, g->out_stride);
    }
}

INLINE void byte_rows(int rows, int columns, scarlet__activation a, const scarlet__integer_gemm *g,
                      size_t row)
{
    if (row % 2)
        byte_tile(rows, columns, 1, a, g, row);
    else
        byte_tile(rows, columns, 0, a, g, row);
}

INLINE void byte_sweep(int columns, scarlet__activation a, const scarlet__integer_gemm *g){
    SWEEP(g, byte_rows(rows, columns, a, g, row))}

GEMM(expand_relu6, scarlet__integer_gemm, byte_sweep(columns, SCARLET__RELU6, g))
    GEMM(expand_hswish6, scarlet__integer_gemm, byte_sweep(columns, SCARLET__HSWISH6, g))

        static void expand(const scarlet__integer_gemm *g)
{
    static void (*const table[][COLUMNS])(const scarlet__integer_gemm *) = {
        [SCARLET__RELU6] = GEMM_ROW(expand_relu6),
        [SCARLET__HSWISH6] = GEMM_ROW(expand_hswish6),
    };
    table[g->activation][g->vectors - 1](g);
}

/* ---- products of bfloat16 ---- */

INLINE void tile(int rows, int columns, int odd, bool pairs, const scarlet__bf16_gemm *g,
                 size_t row)
{
    vec acc[MANY_ROWS][COLUMNS];
    const float *w = g->weights;
    UNROLL for (int j = 0; j < columns; j++)
    {
        vec bias = load(g->bias + j * VL);
        UNROLL for (int i = 0; i < rows; i++) acc[i][j] = bias;
    }
    for (size_t s = 0; s < g->segments; s++) {
        const size_t lda = g->segment[s].stride;
        const uint16_t *a = halves(g->segment[s].a) + row * lda;
        for (size_t k = g->segment[s].k; k > 0; k -= 2, a += 2) {
            vec b[COLUMNS];
            UNROLL for (int j = 0; j < columns; j++) b[j] = load(w + j * VL);
            w += columns * VL;
            UNROLL for (int i = 0; i < rows; i++)
            {
                vec x = (vec)splat_integer(a + (size_t)i * lda);
                UNROLL for (int j = 0; j < columns; j++) acc[i][j] = dot_pairs(acc[i][j], x, b[j]);
            }
        }
    }
    UNROLL for (int j = 0; j < columns; j++)
    {
        if (pairs) {
            vec y[MANY_ROWS];
            UNROLL for (int i = 0; i < rows; i++) y[i] = relu6(acc[i][j]);
            store_pairs(rows, odd, y, g->out + row / 2 * g->out_stride + j * VL, g->out_stride);
        } else {
            UNROLL for (int i = 0; i < rows; i++)
                store(g->out + (row + (size_t)i) * g->out_stride + j * VL, acc[i][j]);
        }
    }
}

INLINE void sweep(int columns, bool pairs, const scarlet__bf16_gemm *g)
{
    size_t row = 0;
    for (; columns == 1 && row + MANY_ROWS <= g->rows; row += MANY_ROWS)
        tile(MANY_ROWS, columns, 0, pairs, g, row);
    for (; row + ROWS <= g->rows; row += ROWS) {
        if (pairs && row % 2)
            tile(ROWS, columns, 1, pairs, g, row);
        else
            tile(ROWS, columns, 0, pairs, g, row);
    }
    for (; row < g->rows; row++) {
        if (pairs && row % 2)
            tile(1, columns, 1, pairs, g, row);
        else
            tile(1, columns, 0, pairs, g, row);
    }
}

GEMM(plain, scarlet__bf16_gemm, sweep(columns, false, g))
GEMM(paired, scarlet__bf16_gemm, sweep(columns, true, g))

static void gemm(const scarlet__bf16_gemm *g)
{
    static void (*const table[2][COLUMNS])(const scarlet__bf16_gemm *) = {GEMM_ROW(plain),
                                                                          GEMM_ROW(paired)};
    table[g->pairs][g->vectors - 1](g);
}

/* ---- depthwise ---- */

/* What input pair j of a step adds to its outputs. w[e][m] are the weights of pair m of an output
 * whose window begins at an even (e = 0) or odd place. */
INLINE void depthwise_pair(int j, int k, int s, int step, const float *p, vec *acc,
                           const vec w[2][PAIRS])
{
    const int shift = k / 2 % 2, count = (k + 1) / 2; /* shift: padding is rounded up to pairs */
    vec in = load(p);
    UNROLL for (int i = 0; i < step; i++)
    {
        const int m = s == 1 ? j - (i + shift) / 2 : j - i, e = s == 1 ? (i + shift) % 2 : shift;
        if (m >= 0 && m < count)
            acc[i] = dot_pairs(acc[i], in, w[e][m]);
    }
}

/* One vector of a row's channels. */
typedef struct {
    const float *const *rows;
    size_t c, channels; /* its first channel, of so many */
    const float *weights;
    vec bias;
    uint16_t *out;
} column;

/* Outputs of a step, from number x on. */
INLINE void depthwise_step(int k, int s, int step, const column *d, size_t x, vec *acc)
{
    const int shift = k / 2 % 2, count = (k + 1) / 2;
    const int last = s == 1 ? (step - 1 + shift) / 2 + count : step - 1 + count;
#ifdef __clang__
#pragma clang loop unroll(disable)
#else
#pragma GCC unroll 1
#endif
    for (int ky = 0; ky < k; ky++) {
        const float *p = d->rows[ky] + (s == 1 ? x / 2 : x) * d->channels + d->c;
        vec w[2][PAIRS];
        UNROLL for (int e = 0; e < 2; e++)
        {
            UNROLL for (int m = 0; m < count; m++)
            {
                if (s == 1 || e == shift)
                    w[e][m] = load(d->weights + ((ky * 2 + e) * count + m) * VL);
            }
        }
        /* gcc does not unroll a loop this long. */
#define PAIR(j)                                                                                    \
    if ((j) < last)                                                                                \
        depthwise_pair(j, k, s, step, p + (size_t)(j)*d->channels, acc, (const vec(*)[PAIRS])w);
        PAIR(0) PAIR(1) PAIR(2) PAIR(3) PAIR(4) PAIR(5) PAIR(6) PAIR(7) PAIR(8) PAIR(9) PAIR(10)
#undef PAIR
    }
}

/* `count` outputs of a step; they are added to `total`. */
INLINE void depthwise_outputs(int k, int s, int step, scarlet__activation a, const column *d,
                              size_t x, size_t count, vec *total)
{
    vec acc[EVEN];
    UNROLL for (int i = 0; i < step; i++) acc[i] = d->bias;
    depthwise_step(k, s, step, d, x, acc);
    UNROLL for (int i = 0; i < step; i++)
    {
        if ((size_t)i < count)
            *total += acc[i] = activate(acc[i], a);
    }
    store_pixels(step, count, acc, d->out + x * d->channels, d->channels);
}

INLINE void depthwise(int k, int s, scarlet__activation a, size_t channels,
                      const scarlet__depthwise *d)
{
    const int step = s == 1 ? EVEN : PIXELS;
    const size_t width = d->width, lanes = scarlet__bf16_depthwise_lanes((size_t)k);
    float *sum = d->sum;
    for (size_t c = 0; c < channels; c += VL) {
        const column v = {d->rows,           c,
                          channels,          d->weights + c * lanes,
                          load(d->bias + c), (uint16_t *)(void *)d->out + c};
        vec total = splat(0);
        size_t x = 0;
        for (; x + (size_t)step <= width; x += (size_t)step)
            depthwise_outputs(k, s, step, a, &v, x, (size_t)step, &total);
        if (x < width && s == 1 && width - x <= SHORT)
            depthwise_outputs(k, s, SHORT, a, &v, x, width - x, &total);
        else if (x < width)
            depthwise_outputs(k, s, step, a, &v, x, width - x, &total);
        if (sum)
            store(sum + c, load(sum + c) + total);
    }
}
DEPTHWISE_FUNCTIONS

/* ---- quantisers ---- */

INLINE __m256i load_halves(const uint16_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}
INLINE vec widen(__m256i x)
{
    return (vec)_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16);
}

/* Two vectors of halves, or their gates, split into even and odd ones: that is cheaper than
 * widening each. */
typedef struct {
    vec even, odd;
} two_vectors;

INLINE two_vectors load_gates(const float *gate)
{
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    __m512 a = (__m512)load(gate), b = (__m512)load(gate + VL);
    return (two_vectors){(vec)_mm512_permutex2var_ps(a, even, b),
                         (vec)_mm512_permutex2var_ps(a, odd, b)};
}
INLINE two_vectors load_two(const uint16_t *p, bool gated, two_vectors gate)
{
    const __m512i x = _mm512_loadu_si512(p);
    two_vectors t = {(vec)_mm512_slli_epi32(x, 16),
                     (vec)_mm512_and_si512(x, _mm512_set1_epi32((int)0xFFFF0000))};
    if (gated)
        t = (two_vectors){t.even * gate.even, t.odd * gate.odd};
    return t;
}
INLINE vec load_one(const uint16_t *p, bool gated, const float *gate)
{
    vec x = widen(load_halves(p));
    return gated ? x * load(gate) : x;
}

/* The largest value of each lane, or 0, over the channels of each pixel. */
INLINE void gated_maxima(int pixels, const scarlet__segment *segment, size_t segments,
                         const float *gate, size_t p, vec *m)
{
    UNROLL for (int i = 0; i < pixels; i++) m[i] = splat(0);
    for (size_t s = 0; s < segments; s++) {
        const size_t stride = segment[s].stride, k = segment[s].k;
        const uint16_t *x = halves(segment[s].a) + p * stride;
        size_t c = 0;
        for (; c + 2 * VL <= k; c += 2 * VL, gate += 2 * VL) {
            const two_vectors gates = load_gates(gate);
            UNROLL for (int i = 0; i < pixels; i++)
            {
                two_vectors t = load_two(x + (size_t)i * stride + c, true, gates);
                m[i] = max(t.odd, max(t.even, m[i]));
            }
        }
        if (c < k) {
            UNROLL for (int i = 0; i < pixels; i++) m[i] =
                max(load_one(x + (size_t)i * stride + c, true, gate), m[i]);
            gate += VL;
        }
    }
}

/* Without gates, maxima are taken of the bits: positive numbers are ordered like integers, and the
 * maximum is at least 0. A NaN counts as infinity. */
INLINE void plain_maxima(int pixels, const scarlet__segment *segment, size_t segments, size_t p,
                         vec *m)
{
    __m512i two[PIXELS];
    __m256i one[PIXELS];
    UNROLL for (int i = 0; i < pixels; i++)
    {
        two[i] = _mm512_setzero_si512();
        one[i] = _mm256_setzero_si256();
    }
    for (size_t s = 0; s < segments; s++) {
        const size_t stride = segment[s].stride, k = segment[s].k;
        const uint16_t *x = halves(segment[s].a) + p * stride;
        size_t c = 0;
        for (; c + 2 * VL <= k; c += 2 * VL) {
            UNROLL for (int i = 0; i < pixels; i++) two[i] =
                _mm512_max_epi16(two[i], _mm512_loadu_si512(x + (size_t)i * stride + c));
        }
        if (c < k) {
            UNROLL for (int i = 0; i < pixels; i++) one[i] =
                _mm256_max_epi16(one[i], load_halves(x + (size_t)i * stride + c));
        }
    }
    UNROLL for (int i = 0; i < pixels; i++)
    {
        __m256i most =
            _mm256_max_epi16(_mm512_castsi512_si256(two[i]), _mm512_extracti64x4_epi64(two[i], 1));
        most = _mm256_min_epi16(_mm256_max_epi16(most, one[i]), _mm256_set1_epi16(0x7F80));
        m[i] = widen(most);
    }
}

/* Pixels from number p on. */
INLINE void quantize_tile(bool gated, int pixels, const scarlet__hidden *hidden, size_t p,
                          size_t channels)
{
    const scarlet__segment *segment = hidden->segment;
    const size_t segments = hidden->segments;
    const float *gate = hidden->gate;
    vec m[PIXELS], h[PIXELS];
    if (gated)
        gated_maxima(pixels, segment, segments, gate, p, m);
    else
        plain_maxima(pixels, segment, segments, p, m);
    take_scales(pixels, hidden->least, hidden->levels, m, hidden->scale + p);
    UNROLL for (int i = 0; i < pixels; i++) h[i] = m[i] * splat(hidden->least);
    uint8_t *at = (uint8_t *)hidden->q + p * channels;
    for (size_t s = 0; s < segments; s++) {
        const size_t stride = segment[s].stride, k = segment[s].k;
        const uint16_t *x = halves(segment[s].a) + p * stride;
        size_t c = 0;
        for (; c + 2 * VL <= k; c += 2 * VL, at += 2 * VL) {
            two_vectors gates = {splat(1), splat(1)};
            if (gated) {
                gates = load_gates(gate);
                gate += 2 * VL;
            }
            UNROLL for (int i = 0; i < pixels; i++)
            {
                two_vectors t = load_two(x + (size_t)i * stride + c, gated, gates);
                ivec bytes = to_integer(multiply_add(t.even, m[i], h[i])) |
                             to_integer(multiply_add(t.odd, m[i], h[i])) << 8;
                _mm256_storeu_si256((__m256i *)(void *)(at + (size_t)i * channels),
                                    _mm512_cvtepi32_epi16((__m512i)bytes));
            }
        }
        if (c < k) {
            UNROLL for (int i = 0; i < pixels; i++)
            {
                vec y = load_one(x + (size_t)i * stride + c, gated, gate);
                store_bytes(at + (size_t)i * channels, to_integer(multiply_add(y, m[i], h[i])));
            }
            at += VL;
            gate += gated ? VL : 0;
        }
    }
}

INLINE void quantize(bool gated, const scarlet__hidden *h)
{
    const size_t pixels = h->pixels, channels = hidden_channels(h);
    size_t p = 0;
    for (; p + PIXELS <= pixels; p += PIXELS)
        quantize_tile(gated, PIXELS, h, p, channels);
    for (; p < pixels; p++)
        quantize_tile(gated, 1, h, p, channels);
}

static void quantize_hidden(const scarlet__hidden *h)
{
    if (h->gate)
        quantize(true, h);
    else
        quantize(false, h);
}

/* ---- pictures ---- */

INLINE __m256i round_some(__mmask16 some, const float *x)
{
    return (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(some, x));
}

INLINE __mmask16 first(size_t count)
{
    return (__mmask16)(count < VL ? (1u << count) - 1 : 0xFFFFu);
}

static void narrow(const float *x, size_t count, uint16_t *out)
{
    for (size_t i = 0; i < count; i += VL)
        _mm256_mask_storeu_epi16(out + i, first(count - i), round_some(first(count - i), x + i));
}

static void narrow_planes(const float *x, size_t plane, size_t count, uint16_t *out)
{
#define RGB(i) (i), 16 + (i), 32 + (i)
#define RGB4(i) RGB(i), RGB((i) + 1), RGB((i) + 2), RGB((i) + 3)
    static const uint16_t order[3 * VL] = {RGB4(0), RGB4(4), RGB4(8), RGB4(12)};
#undef RGB
#undef RGB4
    const __m512i front = _mm512_loadu_si512(order);
    const __m512i back = _mm512_castsi256_si512(load_halves(order + 2 * VL));
    for (size_t i = 0; i < count; i += VL, x += VL, out += 3 * VL) {
        const __mmask16 some = first(count - i);
        const size_t values = 3 * (count - i);
        __m512i rg = _mm512_inserti64x4(_mm512_castsi256_si512(round_some(some, x)),
                                        round_some(some, x + plane), 1);
        __m512i b = _mm512_castsi256_si512(round_some(some, x + 2 * plane));
        _mm512_mask_storeu_epi16(out, values < 2 * VL ? (1u << values) - 1 : 0xFFFFFFFF,
                                 _mm512_permutex2var_epi16(rg, front, b));
        if (values > 2 * VL)
            _mm256_mask_storeu_epi16(
                out + 2 * VL, first(values - 2 * VL),
                _mm512_castsi512_si256(_mm512_permutex2var_epi16(rg, back, b)));
    }
}

void KERNEL(fill_bf16)(scarlet__kernels *k)
{
    k->bf16 = (scarlet__bf16_kernels){
        .depthwise = DEPTHWISE_TABLE,
        .expand = k->bytes,
        .project = k->bytes,
        .gemm = gemm,
        .narrow = narrow,
        .narrow_planes = narrow_planes,
    };
    k->bf16.expand.gemm = expand;
    k->bf16.project.quantize_hidden = quantize_hidden;
}
