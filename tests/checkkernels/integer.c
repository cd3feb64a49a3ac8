/*
 * Integer kernels against plain C: the same bits at every set. Only the matrix times vector, whose
 * activations are floats, is compared by a bound.
 */
#include <math.h>
#include <string.h>

#include "check.h"

enum { SEGMENTS_MAX = 5, VALUES_MAX = 120 };

typedef struct {
    const scarlet__integer_kernels *k;
    bool words;        /* else bytes */
    bool rounds_twice; /* a * b + c */
} type;

static type random_type(const scarlet__kernels *k)
{
    type t = {.words = !k->bytes.group || random_below(2)};
    t.k = t.words ? &k->words : &k->bytes;
#if defined(__aarch64__)
    t.rounds_twice = false;
#else
    t.rounds_twice = k->vector == 4;
#endif
    return t;
}

static const char *type_name(const type *t)
{
    return t->words ? "words" : "bytes";
}

/* Value i of an array of activations. */
static int32_t value(const type *t, const void *q, size_t i)
{
    return t->words ? ((const int16_t *)q)[i] : ((const uint8_t *)q)[i];
}

static float *guard_bytes(size_t bytes)
{
    return guard_floats(bytes / sizeof(float));
}

static bool same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static int32_t random_integer(int32_t low, int32_t high)
{
    return low + (int32_t)random_below((size_t)(high - low) + 1);
}

/* ---- products ---- */

/* Integers that a model can have; now and then all at the ends of their range, where instructions
 * that saturate would show. */
static void fill_integers(const type *t, void *a, size_t a_count, void *w, size_t w_count)
{
    const int32_t a_most = t->words ? 8190 : 255, a_least = t->words ? -8190 : 0;
    const int32_t w_most = t->words ? 2047 : 127;
    const size_t ends = random_below(4);
    for (size_t i = 0; i < a_count; i++) {
        int32_t x = ends == 0 ? a_most : random_integer(a_least, a_most);
        if (t->words)
            ((int16_t *)a)[i] = (int16_t)x;
        else
            ((uint8_t *)a)[i] = (uint8_t)x;
    }
    for (size_t i = 0; i < w_count; i++) {
        int32_t x = ends == 0 ? (i & 64 ? w_most : -w_most) : random_integer(-w_most, w_most);
        if (t->words)
            ((int16_t *)w)[i] = (int16_t)x;
        else
            ((int8_t *)w)[i] = (int8_t)x;
    }
}

static float clamp6(float x)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

static float product(const type *t, const scarlet__integer_gemm *g, size_t row, size_t column,
                     size_t width)
{
    const size_t group = t->k->group;
    const char *a = (const char *)g->a + row * g->stride;
    int64_t total = g->start[column];
    for (size_t i = 0; i < g->groups * group; i++) {
        size_t at = (i / group * width + column) * group + i % group;
        int32_t w = t->words ? ((const int16_t *)g->weights)[at] : ((const int8_t *)g->weights)[at];
        total += (int64_t)value(t, a, i) * w;
    }
    float x = (float)total * g->a_scale[row];
    float y = t->rounds_twice ? x * g->scale[column] + g->bias[column]
                              : fmaf(x, g->scale[column], g->bias[column]);
    if (g->residual)
        y += g->residual[row * g->out_stride + column];
    return g->activation == SCARLET__HSWISH6 ? y * clamp6(y + 3)
           : g->activation == SCARLET__RELU6 ? clamp6(y)
                                             : y;
}

static void check_product(const scarlet__kernels *kernels, values kind)
{
    const type t = random_type(kernels);
    const size_t vectors = random_between(1, SCARLET__GEMM_VECTORS);
    const size_t width = vectors * (size_t)kernels->vector, group = t.k->group;
    const size_t rows = random_below(8) ? random_between(1, 30) : 112;
    const size_t groups = random_between(1, VALUES_MAX / group);
    const size_t stride = 4 * (groups + (random_below(2) ? random_below(10) : 0));
    const size_t out_stride = width + (random_below(2) ? random_below(40) : 0);
    const size_t out_count = (rows - 1) * out_stride + width;
    const bool residual = random_below(3) == 0;
    const size_t a_bytes = (rows - 1) * stride + 4 * groups;
    check_begin("%s gemm %zux%zux%zu%s, out stride %zu", type_name(&t), rows, groups * group, width,
                residual ? ", residual" : "", out_stride);
    void *a = guard_bytes(a_bytes), *w = guard_bytes(groups * width * 4);
    fill_integers(&t, a, a_bytes * group / 4, w, groups * width * group);
    int32_t *start = (void *)guard_floats(width);
    float *a_scale = guard_floats(rows), *scale = guard_floats(width), *bias = guard_floats(width);
    float *r = residual ? guard_floats(out_count) : NULL, *out = guard_floats(out_count);
    for (size_t j = 0; j < width; j++)
        start[j] = random_integer(-100000, 100000);
    random_fill(a_scale, rows, kind, 0.01f);
    random_fill(scale, width, kind, 0.01f);
    random_fill(bias, width, kind, 2);
    if (r)
        random_fill(r, out_count, kind, 2);
    guard_mark(out, out_count);
    scarlet__prefetch prefetch = {0};
    if (random_below(2)) {
        const char *at = guard_forbidden();
        prefetch = (scarlet__prefetch){at, at + 64 * random_below(1000)};
    }
    const scarlet__integer_gemm g = {
        .a = a,
        .stride = stride,
        .groups = groups,
        .a_scale = a_scale,
        .weights = w,
        .start = start,
        .scale = scale,
        .bias = bias,
        .residual = r,
        .out = out,
        .out_stride = out_stride,
        .rows = rows,
        .vectors = (int)vectors,
        .activation = residual ? SCARLET__LINEAR : (scarlet__activation)random_below(3),
        .prefetch = &prefetch,
    };
    t.k->gemm(&g);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < width; j++) {
            float found = out[i * out_stride + j], expected = product(&t, &g, i, j, width);
            if (!same(found, expected))
                check_fail("row %zu, column %zu: %.9g instead of %.9g", i, j, (double)found,
                           (double)expected);
        }
        if (i + 1 < rows && !guard_untouched(out + i * out_stride + width, out_stride - width))
            check_fail("wrote past row %zu", i);
    }
}

/* ---- quantisers ---- */

/* The largest value, at least 0; a NaN is none. */
static float most_of(const float *x, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

/* What x becomes: 0 if it is not finite. */
static int32_t rounded(float x)
{
    return isfinite(x) ? (int32_t)nearbyintf(x) : 0;
}

static void compare(const type *t, const float *y, size_t pixel, size_t channels, float most,
                    float shift, int32_t offset, float levels, const void *q, const float *scale)
{
    most = most > 1e-20f ? most : 1e-20f;
    if (!same(scale[pixel], most / levels))
        check_fail("scale of pixel %zu: %.9g instead of %.9g", pixel, (double)scale[pixel],
                   (double)(most / levels));
    for (size_t c = 0; c < channels; c++) {
        int32_t found = value(t, q, pixel * channels + c);
        int32_t expected = rounded((y[c] + shift) * (levels / most)) + offset;
        if (found != expected)
            check_fail("pixel %zu, channel %zu: %d instead of %d for %.9g", pixel, c, found,
                       expected, (double)y[c]);
    }
}

static void check_quantize(const scarlet__kernels *kernels, values kind)
{
    const type t = random_type(kernels);
    const size_t channels = random_between(1, 9) * (size_t)kernels->vector;
    const size_t pixels = random_between(1, 20);
    const float levels = t.words && random_below(2) ? 4095 : 127;
    check_begin("%s quantize %zux%zu, %g levels", type_name(&t), pixels, channels, (double)levels);
    float *x = guard_floats(pixels * channels), *scale = guard_floats(pixels);
    void *q = guard_bytes(pixels * channels * 4 / t.k->group);
    random_fill(x, pixels * channels, kind, random_below(4) ? 3.0f : 0);
    t.k->quantize(x, pixels, channels, levels, q, scale);
    for (size_t p = 0; p < pixels; p++) {
        float magnitude[9 * SCARLET__VECTOR_MAX];
        for (size_t c = 0; c < channels; c++)
            magnitude[c] = fabsf(x[p * channels + c]);
        compare(&t, x + p * channels, p, channels, most_of(magnitude, channels), 0, t.k->offset,
                levels, q, scale);
    }
}

static void check_hidden(const scarlet__kernels *kernels, values kind)
{
    const type t = random_type(kernels);
    const size_t vector = (size_t)kernels->vector, pixels = random_between(1, 20);
    const size_t segments = random_between(1, SEGMENTS_MAX);
    const float levels = t.words && random_below(2) ? 8190 : 255;
    const float least = scarlet__least(random_below(2) ? SCARLET__HSWISH6 : SCARLET__RELU6);
    scarlet__segment segment[SEGMENTS_MAX];
    size_t channels = 0;
    for (size_t s = 0; s < segments; s++) {
        size_t k = vector * random_between(1, SCARLET__GEMM_VECTORS);
        size_t stride = k + random_below(20), count = (pixels - 1) * stride + k;
        float *a = guard_floats(count);
        random_fill(a, count, kind, 4);
        for (size_t i = 0; i < count; i++) /* as the activation */
            a[i] = isfinite(a[i]) && a[i] < -least ? -least : a[i];
        segment[s] = (scarlet__segment){a, stride, k};
        channels += k;
    }
    float *gate = random_below(2) ? guard_floats(channels) : NULL, *scale = guard_floats(pixels);
    check_begin("%s quantize_hidden %zux%zu, %zu segments, %g levels, from %g on%s", type_name(&t),
                pixels, channels, segments, (double)levels, -(double)least, gate ? ", gated" : "");
    void *q = guard_bytes(pixels * channels * 4 / t.k->group);
    if (gate) {
        random_fill(gate, channels, kind, 1);
        for (size_t c = 0; c < channels; c++)
            gate[c] = fabsf(gate[c]);
    }
    t.k->quantize_hidden(
        &(scarlet__hidden){segment, segments, gate, pixels, levels, least, q, scale});
    for (size_t p = 0; p < pixels; p++) {
        float y[SEGMENTS_MAX * SCARLET__GEMM_VECTORS * SCARLET__VECTOR_MAX];
        size_t c = 0;
        for (size_t s = 0; s < segments; s++)
            for (size_t i = 0; i < segment[s].k; i++, c++)
                y[c] = segment[s].a[p * segment[s].stride + i] * (gate ? gate[c] : 1);
        compare(&t, y, p, channels, most_of(y, channels) + least, least, 0, levels, q, scale);
    }
}

/* ---- matrix times vector ---- */

static void check_vector(const scarlet__kernels *kernels, values kind)
{
    const size_t vectors = random_between(1, SCARLET__GEMV_VECTORS), k = random_between(1, 300);
    const size_t width = vectors * (size_t)kernels->vector;
    const bool narrow = random_below(2);
    check_begin("gemv%d %zux%zu", narrow ? 8 : 16, k, width);
    float *x = guard_floats(k), *scale = guard_floats(width), *bias = guard_floats(width);
    float *y = guard_floats(width);
    int8_t *w8 = (void *)guard_bytes(k * width * (narrow ? 1 : 2));
    int16_t *w16 = (void *)w8;
    random_fill(x, k, kind, 2);
    random_fill(scale, width, kind, 0.5f);
    random_fill(bias, width, kind, 2);
    for (size_t i = 0; i < k * width; i++)
        if (narrow)
            w8[i] = (int8_t)random_integer(-127, 127);
        else
            w16[i] = (int16_t)random_integer(-32767, 32767);
    if (narrow)
        kernels->gemv8(x, k, w8, scale, bias, y, (int)vectors);
    else
        kernels->gemv16(x, k, w16, scale, bias, y, (int)vectors);
    for (size_t j = 0; j < width; j++) {
        sum products = {0}, total = {0};
        for (size_t i = 0; i < k; i++)
            sum_add(&products, (double)x[i], narrow ? w8[i * width + j] : w16[i * width + j]);
        approximate inner = sum_result(&products);
        sum_add(&total, (double)bias[j], 1);
        sum_add(&total, inner.value, (double)scale[j]);
        approximate expected = sum_result(&total);
        expected.error += inner.error * fabs((double)scale[j]);
        if (!agrees(y[j], expected))
            check_fail("value %zu: %.9g instead of %.9g +- %.2g", j, (double)y[j], expected.value,
                       expected.error);
    }
}

void check_integer(const scarlet__kernels *k, values kind)
{
    static void (*const checks[])(const scarlet__kernels *, values) = {
        check_product, check_product, check_quantize, check_hidden, check_vector};
    checks[random_below(sizeof checks / sizeof *checks)](k, kind);
}

/* ---- speed ---- */

static const scarlet__integer_kernels *narrowest(const scarlet__kernels *k)
{
    return k->bytes.group ? &k->bytes : &k->words;
}

/* rows x k x columns, columns a multiple of 48; `wide`: words, else bytes if there are. */
static void run_gemm(const scarlet__kernels *kernels, const size_t *shape, float *pool)
{
    const size_t rows = shape[0], columns = shape[2];
    const scarlet__integer_kernels *k = shape[4] ? &kernels->words : narrowest(kernels);
    const size_t width = SCARLET__GEMM_VECTORS * (size_t)kernels->vector;
    const size_t groups = shape[1] / k->group;
    scarlet__prefetch none = {0};
    static const int32_t start[SCARLET__GEMM_VECTORS * SCARLET__VECTOR_MAX];
    scarlet__integer_gemm g = {.a = pool,
                               .stride = groups * sizeof *pool,
                               .groups = groups,
                               .a_scale = pool,
                               .weights = pool + rows * groups,
                               .start = start,
                               .scale = pool,
                               .bias = pool,
                               .out = pool + rows * groups + groups * columns,
                               .out_stride = columns,
                               .rows = rows,
                               .vectors = SCARLET__GEMM_VECTORS,
                               .activation = (scarlet__activation)shape[3],
                               .prefetch = &none};
    for (size_t c = 0; c < columns; c += width, g.out += width) {
        k->gemm(&g);
        g.weights = (const float *)g.weights + groups * width;
    }
}

static void run_gemv8(const scarlet__kernels *kernels, const size_t *shape, float *pool)
{
    const size_t k = shape[0], width = SCARLET__GEMV_VECTORS * (size_t)kernels->vector;
    const int8_t *w = (const int8_t *)(pool + k);
    for (size_t c = 0; c < shape[1]; c += width)
        kernels->gemv8(pool, k, w + c * k, pool, pool, pool + k + shape[1] * k / 4 + c,
                       SCARLET__GEMV_VECTORS);
}

static void run_quantize(const scarlet__kernels *kernels, const size_t *shape, float *pool)
{
    narrowest(kernels)->quantize(pool, shape[0], shape[1], 127, pool + shape[0] * shape[1],
                                 pool + 2 * shape[0] * shape[1]);
}

static void run_hidden(const scarlet__kernels *kernels, const size_t *shape, float *pool)
{
    const scarlet__segment segment = {pool, shape[1], shape[1]};
    narrowest(kernels)->quantize_hidden(&(scarlet__hidden){
        &segment, 1, shape[2] ? pool : NULL, shape[0], 255, SCARLET__HSWISH6_LEAST,
        pool + shape[0] * shape[1], pool + 2 * shape[0] * shape[1]});
}

#define GEMM(name, rows, k, columns, activation, wide)                                             \
    {                                                                                              \
        name " gemm " #rows "x" #k "x" #columns, run_gemm, {rows, k, columns, activation, wide},   \
            1.0 * rows *k *columns, false                                                          \
    }
#define QUANTIZE(name, run, pixels, channels, gated)                                               \
    {                                                                                              \
        name " " #pixels "x" #channels, run, {pixels, channels, gated}, 4.0 * pixels *channels,    \
            true                                                                                   \
    }
const speed speeds_integer[] = {
    GEMM("int8, h-swish", 112, 16, 96, SCARLET__HSWISH6, 0),
    GEMM("int8, h-swish", 196, 96, 288, SCARLET__HSWISH6, 0),
    GEMM("int8, linear", 7, 288, 96, SCARLET__LINEAR, 0),
    GEMM("int8, linear", 7, 1152, 192, SCARLET__LINEAR, 0),
    GEMM("int16, h-swish", 196, 96, 288, SCARLET__HSWISH6, 1),
    GEMM("int16, linear", 7, 1152, 192, SCARLET__LINEAR, 1),
    {"gemv8 1280x960", run_gemv8, {1280, 960}, 1280 * 960, false},
    QUANTIZE("quantize", run_quantize, 56, 32, 0),
    QUANTIZE("quantize_hidden", run_hidden, 7, 1152, 0),
    QUANTIZE("quantize_hidden, gated", run_hidden, 7, 1152, 1),
    {0},
};
