/*
 * Kernels of bfloat16. Sums are compared by a bound: of any order of float32 additions, plus the
 * denormal numbers that the instructions leave out, plus what cutting the result takes. All else
 * has the bits of plain C.
 */
#include <math.h>
#include <string.h>

#include "check.h"
#include "engine/pack.h"

enum { KERNEL_MAX = 7, SEGMENTS_MAX = 4, ROWS_MAX = 112 };
static const double LEAST_NORMAL = 0x1p-126;

/* Denormal numbers count as 0. */
static float from_half(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return isnormal(x) || !isfinite(x) ? x : copysignf(0, x);
}

/* As vcvtneps2bf16. */
static uint16_t to_half(float x)
{
    if (isnan(x))
        return 0x7fc0;
    return scarlet__to_bf16(fabsf(x) < (float)LEAST_NORMAL ? copysignf(0, x) : x);
}

static bool same_half(uint16_t found, uint16_t expected)
{
    return found == expected || (isnan(from_half(found)) && isnan(from_half(expected)));
}

static uint16_t *guard_halves(size_t count)
{
    return (void *)guard_floats((count + 1) / 2);
}

static const uint16_t *halves(const float *at)
{
    return (const void *)at;
}

static float *floats_of(void *at)
{
    return at;
}

static void fill_halves(uint16_t *at, size_t count, values kind, float scale)
{
    for (size_t i = 0; i < count; i++) {
        float x;
        random_fill(&x, 1, kind, scale);
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        at[i] = (uint16_t)(bits >> 16); /* cut, so that denormal numbers are among them */
    }
}

/* After sum_result: what was left out at each addition. */
static approximate flushed(const sum *s)
{
    approximate a = sum_result(s);
    a.error += (double)(2 * s->terms + 2) * LEAST_NORMAL;
    return a;
}

/* Cutting takes between nothing and 2^-7 of a value. */
static bool half_agrees(uint16_t found, approximate expected)
{
    if (isfinite(expected.value)) {
        expected.error += fabs(expected.value) * 0x1.1p-8 + expected.error + LEAST_NORMAL;
        expected.value -= expected.value * 0x1p-8;
    }
    return agrees(from_half(found), expected);
}

/* Value of a channel at a pixel of a padded row of pairs. */
static float pixel(const float *row, size_t channels, size_t x, size_t c)
{
    return from_half(halves(row)[2 * (x / 2 * channels + c) + x % 2]);
}

/* ---- depthwise ---- */

typedef struct {
    size_t k, stride, channels, width, vector;
    bool other; /* windows begin at places of the other parity */
    scarlet__activation activation;
} shape;

/* Output x of channel c before the activation: whole pairs, whose second or first weight may be 0.
 */
static approximate convolve(const shape *s, const float *const *rows, const uint16_t *taps,
                            const float *bias, size_t x, size_t c)
{
    const size_t shift = s->k / 2 % 2 != s->other;
    const size_t first = x * s->stride + shift, begin = first / 2 * 2;
    sum total = {0};
    sum_add(&total, (double)bias[c], 1);
    for (size_t y = 0; y < s->k; y++) {
        for (size_t at = begin; at < begin + s->k + 1; at++) {
            bool tap = at >= first && at < first + s->k;
            float w = tap ? from_half(taps[(c * s->k + y) * s->k + at - first]) : 0;
            sum_add(&total, (double)pixel(rows[y], s->channels, at, c), (double)w);
        }
    }
    return flushed(&total);
}

static void compare_depthwise(const shape *s, const float *const *rows, const uint16_t *taps,
                              const float *bias, const uint16_t *out, const float *before,
                              const float *after)
{
    for (size_t c = 0; c < s->channels; c++) {
        sum total = {0};
        double error = 0;
        if (before)
            sum_add(&total, (double)before[c], 1);
        for (size_t x = 0; x < s->width; x++) {
            uint16_t found = out[x * s->channels + c];
            approximate expected = activated(convolve(s, rows, taps, bias, x, c), s->activation);
            if (!half_agrees(found, expected))
                check_fail("pixel %zu, channel %zu: %.9g instead of %.9g +- %.2g", x, c,
                           (double)from_half(found), expected.value, expected.error);
            sum_add(&total, expected.value, 1);
            error += expected.error;
        }
        if (after)
            check_total(c, after[c], &total, error);
    }
}

/* Neighbours of each tap, times `gain`, and a sum at least as close as that of the nearest. */
static void round_taps(const float *taps, float gain, size_t count, uint16_t *out)
{
    double nearest = 0, error = 0, magnitude = 0;
    scarlet__taps_to_bf16(taps, gain, count, out);
    for (size_t i = 0; i < count; i++) {
        double x = (double)(taps[i] * gain), y = (double)from_half(out[i]);
        nearest += (double)from_half(scarlet__to_bf16(taps[i] * gain)) - x;
        error += y - x;
        magnitude += fabs(x);
        if (fabs(y - x) > 0x1p-7 * fabs(x) + LEAST_NORMAL)
            check_fail("tap %zu: %.9g becomes %.9g", i, x, y);
    }
    if (fabs(error) > fabs(nearest) + magnitude * 0x1p-20 + (double)count * LEAST_NORMAL)
        check_fail("the sum of %zu taps is off by %.9g, with the nearest by %.9g", count, error,
                   nearest);
}

static void check_depthwise_pairs(const scarlet__kernels *k, values kind)
{
    shape s = {.k = 3 + 2 * random_below(3),
               .stride = 1 + random_below(2),
               .vector = (size_t)k->vector,
               .width = random_below(8) ? random_between(1, 40) : 56,
               .activation = random_below(4) ? SCARLET__HSWISH6 : SCARLET__RELU6};
    s.channels = s.vector * random_between(1, 3);
    s.other = s.stride == 2 && random_below(2);
    const bool sums = random_below(2);
    const float gain = random_below(2) ? SCARLET__BF16_GAIN : 1;
    check_begin("depthwise %zux%zu, stride %zu, %zu channels, width %zu, %s%s%s", s.k, s.k,
                s.stride, s.channels, s.width, s.other ? "other parity, " : "",
                s.activation == SCARLET__RELU6 ? "ReLU6" : "h-swish", sums ? ", sums" : "");
    const size_t side = s.width * s.stride;
    const size_t pairs = scarlet__bf16_row(s.k, s.stride, side, s.width);
    const size_t used = (scarlet__bf16_left(s.k / 2) + side + s.k / 2 + 1) / 2;
    const float *rows[KERNEL_MAX];
    float *bias = guard_floats(s.channels), *sum_row = sums ? guard_floats(s.channels) : NULL;
    float weights[KERNEL_MAX * KERNEL_MAX * SCARLET__CHUNK_MAX], before[SCARLET__CHUNK_MAX];
    uint16_t taps[KERNEL_MAX * KERNEL_MAX * SCARLET__CHUNK_MAX];
    uint32_t *packed = (void *)guard_floats(s.channels * scarlet__bf16_depthwise_lanes(s.k));
    uint16_t *out = guard_halves(s.width * s.channels);
    for (size_t i = 0; i < s.k; i++) {
        float *row = guard_floats(pairs * s.channels);
        guard_mark(row, pairs * s.channels); /* read, but must not count */
        fill_halves((void *)row, 2 * used * s.channels, kind, 2);
        rows[i] = row;
    }
    /* A weight that is not finite is no weight: it is not loaded. */
    random_fill(weights, s.channels * s.k * s.k, kind == SPECIAL ? ORDINARY : kind, 3 / (float)s.k);
    scarlet__pack_bf16_depthwise(weights, gain, s.channels, s.k, s.vector, packed);
    for (size_t c = 0; c < s.channels; c++)
        round_taps(weights + c * s.k * s.k, gain, s.k * s.k, taps + c * s.k * s.k);
    random_fill(bias, s.channels, kind, 3);
    if (sum_row)
        random_fill(sum_row, s.channels, ORDINARY, 20);
    for (size_t c = 0; sum_row && c < s.channels; c++)
        before[c] = sum_row[c];
    k->bf16.depthwise[s.k / 2 - 1][s.stride - 1](&(scarlet__depthwise){
        rows, s.channels, floats_of(packed) + (s.other ? scarlet__bf16_other_parity(s.k) : 0), bias,
        floats_of(out), s.channels, s.width, s.activation, sum_row});
    compare_depthwise(&s, rows, taps, bias, out, sum_row ? before : NULL, sum_row);
}

/* ---- products ---- */

/* Marked halves are those of pixels that are not there. */
static void compare_pairs(const uint32_t *out, size_t stride, size_t rows, size_t width,
                          bool (*agree)(const void *context, size_t row, size_t column,
                                        uint16_t found),
                          const void *context)
{
    for (size_t i = 0; i < (rows + 1) / 2 * 2; i++) {
        for (size_t j = 0; j < width; j++) {
            uint32_t lane = out[i / 2 * stride + j];
            uint16_t found = (uint16_t)(i % 2 ? lane >> 16 : lane);
            if (i < rows ? !agree(context, i, j, found) : found != 0x7fc5)
                check_fail("row %zu, column %zu: %.9g", i, j, (double)from_half(found));
        }
        if (i / 2 + 1 < (rows + 1) / 2 &&
            !guard_untouched((const void *)(out + i / 2 * stride + width), stride - width))
            check_fail("wrote past pair %zu", i / 2);
    }
}

typedef struct {
    const float *found;
    size_t stride;
} floats;

static bool begins(const void *context, size_t row, size_t column, uint16_t found)
{
    const floats *f = context;
    uint32_t bits;
    memcpy(&bits, &f->found[row * f->stride + column], sizeof bits);
    return same_half(found, (uint16_t)(bits >> 16));
}

/* The gemm of bytes, which has a check of its own, cut. */
static void check_expand(const scarlet__kernels *k, values kind)
{
    const size_t vectors = random_between(1, SCARLET__GEMM_VECTORS);
    const size_t width = vectors * (size_t)k->vector, groups = random_between(1, 30);
    const size_t rows = random_below(8) ? random_between(1, 30) : ROWS_MAX;
    const size_t stride = 4 * (groups + random_below(9)), pairs = (rows + 1) / 2;
    const size_t out_stride = width + (random_below(2) ? random_below(40) : 0);
    const scarlet__activation activation = random_below(2) ? SCARLET__HSWISH6 : SCARLET__RELU6;
    check_begin("expand %zux%zux%zu, out stride %zu, %s", rows, 4 * groups, width, out_stride,
                activation == SCARLET__RELU6 ? "ReLU6" : "h-swish");
    const size_t out_count = (pairs - 1) * out_stride + width,
                 a_count = (rows - 1) * stride + 4 * groups;
    uint8_t *a = (void *)guard_floats(a_count / 4);
    int8_t *w = (void *)guard_floats(groups * width);
    int32_t *start = (void *)guard_floats(width);
    float *a_scale = guard_floats(rows), *scale = guard_floats(width), *bias = guard_floats(width);
    float *out = guard_floats(out_count), *expected = guard_floats(rows * width);
    for (size_t i = 0; i < a_count; i++)
        a[i] = (uint8_t)random_below(256);
    for (size_t i = 0; i < groups * width * 4; i++)
        w[i] = (int8_t)((int)random_below(255) - 127);
    for (size_t j = 0; j < width; j++)
        start[j] = (int32_t)random_below(200000) - 100000;
    random_fill(a_scale, rows, kind, 0.01f);
    random_fill(scale, width, kind, 0.01f);
    random_fill(bias, width, kind, 2);
    guard_mark(out, out_count);
    scarlet__prefetch prefetch = {0};
    scarlet__integer_gemm g = {
        .a = a,
        .stride = stride,
        .groups = groups,
        .a_scale = a_scale,
        .weights = w,
        .start = start,
        .scale = scale,
        .bias = bias,
        .out = out,
        .out_stride = out_stride,
        .rows = rows,
        .vectors = (int)vectors,
        .activation = activation,
        .prefetch = &prefetch,
    };
    k->bf16.expand.gemm(&g);
    g.out = expected;
    g.out_stride = width;
    k->bytes.gemm(&g);
    compare_pairs((const void *)out, out_stride, rows, width, begins, &(floats){expected, width});
}

/* Columns of random weights, and what they give. */
typedef struct {
    const scarlet__bf16_gemm *g;
    size_t width;
} product;

static approximate multiplied(const product *p, size_t row, size_t column)
{
    sum total = {0};
    sum_add(&total, (double)p->g->bias[column], 1);
    const uint16_t *w = halves(p->g->weights + column);
    for (size_t s = 0; s < p->g->segments; s++) {
        const scarlet__segment *segment = &p->g->segment[s];
        for (size_t i = 0; i < segment->k; i += 2, w += 2 * p->width) {
            const uint16_t *a = halves(segment->a) + row * segment->stride + i;
            sum_add(&total, (double)from_half(a[0]), (double)from_half(w[0]));
            sum_add(&total, (double)from_half(a[1]), (double)from_half(w[1]));
        }
    }
    return flushed(&total);
}

static bool clamped_agrees(const void *context, size_t row, size_t column, uint16_t found)
{
    return half_agrees(found, activated(multiplied(context, row, column), SCARLET__RELU6));
}

static void check_pair_product(const scarlet__kernels *k, values kind)
{
    const size_t vectors = random_between(1, SCARLET__GEMM_VECTORS);
    const size_t width = vectors * (size_t)k->vector, segments = random_between(1, SEGMENTS_MAX);
    const size_t rows = random_below(8) ? random_between(1, 30) : ROWS_MAX;
    const size_t out_stride = width + (random_below(2) ? random_below(40) : 0);
    const bool pairs = random_below(2);
    const size_t out_count = ((pairs ? (rows + 1) / 2 : rows) - 1) * out_stride + width;
    scarlet__segment segment[SEGMENTS_MAX];
    size_t total = 0;
    for (size_t s = 0; s < segments; s++) {
        size_t n = 2 * random_between(1, 24),
               stride = random_below(2) ? 6 : n + 2 * random_below(9);
        uint16_t *a = guard_halves((rows - 1) * stride + n);
        fill_halves(a, (rows - 1) * stride + n, kind, 2);
        segment[s] = (scarlet__segment){floats_of(a), stride, n};
        total += n;
    }
    check_begin("bf16 gemm %zux%zux%zu, %zu segments, out stride %zu%s", rows, total, width,
                segments, out_stride, pairs ? ", pairs" : "");
    float *w = guard_floats(total / 2 * width);
    float *bias = guard_floats(width), *out = guard_floats(out_count);
    fill_halves((void *)w, total * width, kind == SPECIAL ? ORDINARY : kind, 1);
    random_fill(bias, width, kind, 2);
    guard_mark(out, out_count);
    const scarlet__bf16_gemm g = {
        .segment = segment,
        .segments = segments,
        .weights = w,
        .bias = bias,
        .out = out,
        .out_stride = out_stride,
        .rows = rows,
        .vectors = (int)vectors,
        .pairs = pairs,
    };
    const product p = {&g, width};
    k->bf16.gemm(&g);
    if (pairs) {
        compare_pairs((const void *)out, out_stride, rows, width, clamped_agrees, &p);
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < width; j++) {
            approximate expected = multiplied(&p, i, j);
            if (!agrees(out[i * out_stride + j], expected))
                check_fail("row %zu, column %zu: %.9g instead of %.9g +- %.2g", i, j,
                           (double)out[i * out_stride + j], expected.value, expected.error);
        }
        if (i + 1 < rows && !guard_untouched(out + i * out_stride + width, out_stride - width))
            check_fail("wrote past row %zu", i);
    }
}

/* ---- quantisers ---- */

static void compare_quantized(const float *y, size_t count, float levels, float least,
                              const uint8_t *q, float scale)
{
    float most = 0;
    bool finite = true;
    for (size_t c = 0; c < count; c++) {
        most = y[c] > most ? y[c] : most;
        finite = finite && isfinite(y[c]);
    }
    most += least;
    if (!finite) {
        if (isfinite(scale) && most > 100)
            check_fail("a finite scale of a pixel with an infinity");
        return;
    }
    const float inverse = levels / most, shift = inverse * least;
    if (scale != most / levels)
        check_fail("scale %.9g instead of %.9g", (double)scale, (double)(most / levels));
    for (size_t c = 0; c < count; c++)
        if (q[c] != (int)nearbyintf(fmaf(y[c], inverse, shift)))
            check_fail("channel %zu: %d instead of %d for %.9g", c, q[c],
                       (int)nearbyintf(fmaf(y[c], inverse, shift)), (double)y[c]);
}

static void check_half_hidden(const scarlet__kernels *k, values kind)
{
    const size_t vector = (size_t)k->vector, pixels = random_between(1, 20);
    const size_t segments = random_between(1, SEGMENTS_MAX);
    const float least = scarlet__least(random_below(2) ? SCARLET__HSWISH6 : SCARLET__RELU6);
    scarlet__segment segment[SEGMENTS_MAX];
    size_t channels = 0;
    for (size_t s = 0; s < segments; s++) {
        size_t n = vector * random_between(1, SCARLET__GEMM_VECTORS), stride = n + random_below(20);
        size_t count = (pixels - 1) * stride + n;
        uint16_t *a = guard_halves(count);
        fill_halves(a, count, kind == DENORMAL ? ORDINARY : kind, 4);
        for (size_t i = 0; i < count; i++)
            if (from_half(a[i]) < -least)
                a[i] = least > 1 ? to_half(-least) : 0;
        segment[s] = (scarlet__segment){floats_of(a), stride, n};
        channels += n;
    }
    float *gate = random_below(2) ? guard_floats(channels) : NULL, *scale = guard_floats(pixels);
    uint8_t *q = (void *)guard_floats(pixels * channels / 4);
    check_begin("bf16 quantize_hidden %zux%zu, %zu segments, from %g on%s", pixels, channels,
                segments, -(double)least, gate ? ", gated" : "");
    if (gate)
        random_fill(gate, channels, ORDINARY, 1);
    for (size_t c = 0; gate && c < channels; c++)
        gate[c] = fabsf(gate[c]);
    k->bf16.project.quantize_hidden(
        &(scarlet__hidden){segment, segments, gate, pixels, 255, least, q, scale});
    for (size_t p = 0; p < pixels; p++) {
        float y[SEGMENTS_MAX * SCARLET__GEMM_VECTORS * SCARLET__VECTOR_MAX];
        size_t c = 0;
        for (size_t s = 0; s < segments; s++)
            for (size_t i = 0; i < segment[s].k; i++, c++)
                y[c] = from_half(halves(segment[s].a)[p * segment[s].stride + i]) *
                       (gate ? gate[c] : 1);
        compare_quantized(y, channels, 255, least, q + p * channels, scale[p]);
    }
}

static void check_narrow(const scarlet__kernels *k, values kind)
{
    const size_t count = random_between(1, 700);
    check_begin("narrow %zu", count);
    float *x = guard_floats(count), *out = guard_floats((count + 1) / 2);
    random_fill(x, count, kind, 3);
    guard_mark(out, (count + 1) / 2);
    k->bf16.narrow(x, count, (uint16_t *)(void *)out);
    for (size_t i = 0; i < count; i++)
        if (!same_half(((uint16_t *)(void *)out)[i], to_half(x[i])))
            check_fail("value %zu: %.9g for %.9g", i,
                       (double)from_half(((uint16_t *)(void *)out)[i]), (double)x[i]);
    if (count % 2 && ((uint16_t *)(void *)out)[count] != 0x7fc5)
        check_fail("wrote past the last value");
}

static void check_narrow_planes(const scarlet__kernels *k, values kind)
{
    const size_t count = random_between(1, 230), plane = count + random_below(100), all = 3 * count;
    check_begin("narrow_planes 3x%zu, %zu apart", count, plane);
    float *x = guard_floats(2 * plane + count), *out = guard_floats((all + 1) / 2);
    random_fill(x, 2 * plane + count, kind, 3);
    guard_mark(out, (all + 1) / 2);
    k->bf16.narrow_planes(x, plane, count, (uint16_t *)(void *)out);
    for (size_t i = 0; i < all; i++)
        if (!same_half(halves(out)[i], to_half(x[i % 3 * plane + i / 3])))
            check_fail("pixel %zu, colour %zu: %.9g for %.9g", i / 3, i % 3,
                       (double)from_half(halves(out)[i]), (double)x[i % 3 * plane + i / 3]);
    if (all % 2 && halves(out)[all] != 0x7fc5)
        check_fail("wrote past the last value");
}

void check_bf16(const scarlet__kernels *k, values kind)
{
    static void (*const checks[])(const scarlet__kernels *, values) = {
        check_depthwise_pairs, check_depthwise_pairs, check_expand,       check_pair_product,
        check_half_hidden,     check_narrow,          check_narrow_planes};
    if (k->bf16.expand.group)
        checks[random_below(sizeof checks / sizeof *checks)](k, kind);
}

/* ---- speed ---- */

/* A map of side x side, its row in the first-level cache. */
static void run_depthwise(const scarlet__kernels *kernels, const size_t *size, float *pool)
{
    const size_t k = size[0], stride = size[1], side = size[2], channels = 48;
    const size_t row = scarlet__bf16_row(k, stride, side * stride, side) * channels;
    const float *rows[KERNEL_MAX];
    for (size_t i = 0; i < k; i++)
        rows[i] = pool + i * row;
    const scarlet__depthwise d = {.rows = rows,
                                  .channels = channels,
                                  .weights = pool + k * row,
                                  .bias = pool,
                                  .out = pool + 2 * k * row + 48 * 2 * 49,
                                  .out_stride = channels,
                                  .width = side,
                                  .activation = SCARLET__HSWISH6};
    for (size_t y = 0; y < side; y++)
        kernels->bf16.depthwise[k / 2 - 1][stride - 1](&d);
}

/* rows x k x columns */
static void run_expand(const scarlet__kernels *kernels, const size_t *size, float *pool)
{
    static const int32_t start[SCARLET__CHUNK_MAX];
    const size_t rows = size[0], groups = size[1] / 4, width = SCARLET__CHUNK_MAX;
    scarlet__prefetch none = {0};
    scarlet__integer_gemm g = {.a = pool,
                               .stride = 4 * groups,
                               .groups = groups,
                               .a_scale = pool,
                               .weights = pool + rows * groups,
                               .start = start,
                               .scale = pool,
                               .bias = pool,
                               .out = pool + rows * groups + groups * width,
                               .out_stride = width,
                               .rows = rows,
                               .vectors = SCARLET__GEMM_VECTORS,
                               .activation = SCARLET__HSWISH6,
                               .prefetch = &none};
    for (size_t n = 0; n < size[2]; n += width)
        kernels->bf16.expand.gemm(&g);
}

static void run_quantize(const scarlet__kernels *kernels, const size_t *size, float *pool)
{
    const scarlet__segment segment = {pool, size[1], size[1]};
    float *q = pool + size[0] * size[1];
    kernels->bf16.project.quantize_hidden(&(scarlet__hidden){&segment, 1, size[2] ? pool : NULL,
                                                             size[0], 255, SCARLET__HSWISH6_LEAST,
                                                             q, q + size[0] * size[1]});
}

#define DEPTHWISE(k, stride, side)                                                                 \
    {                                                                                              \
        "bf16 depthwise " #k "x" #k " stride " #stride ", " #side "x" #side "x48", run_depthwise,  \
            {k, stride, side}, 48.0 * k *k *side *side, false                                      \
    }
#define EXPAND(rows, k, columns)                                                                   \
    {                                                                                              \
        "int8 to bf16, h-swish " #rows "x" #k "x" #columns, run_expand, {rows, k, columns},        \
            1.0 * rows *k *columns, false                                                          \
    }
#define QUANTIZE(name, pixels, channels, gated)                                                    \
    {                                                                                              \
        name " " #pixels "x" #channels, run_quantize, {pixels, channels, gated},                   \
            2.0 * pixels *channels, true                                                           \
    }
const speed speeds_bf16[] = {
    EXPAND(112, 16, 96),
    EXPAND(28, 96, 288),
    DEPTHWISE(3, 1, 56),
    DEPTHWISE(5, 1, 28),
    DEPTHWISE(7, 1, 14),
    DEPTHWISE(7, 1, 7),
    DEPTHWISE(3, 2, 28),
    DEPTHWISE(5, 2, 14),
    DEPTHWISE(7, 2, 7),
    QUANTIZE("bf16 quantize_hidden", 7, 1152, 0),
    QUANTIZE("bf16 quantize_hidden, gated", 7, 1152, 1),
    {0},
};
