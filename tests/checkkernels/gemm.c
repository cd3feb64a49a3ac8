#include <math.h>
#include <string.h>

#include "check.h"

enum { SEGMENTS_MAX = 5, K_MAX = 70 };

typedef struct {
    scarlet__gemm g;
    scarlet__segment segment[SEGMENTS_MAX];
    size_t k, width; /* of all segments; floats of an output row */
    float *out;
    scarlet__prefetch prefetch;
} problem;

static approximate product(const problem *p, size_t row, size_t column)
{
    const scarlet__gemm *g = &p->g;
    const float *w = g->weights + column;
    sum total = {0};
    sum_add(&total, (double)g->bias[column], 1);
    if (g->residual)
        sum_add(&total, (double)g->residual[row * g->out_stride + column], 1);
    for (size_t s = 0; s < g->segments; s++)
        for (size_t i = 0; i < g->segment[s].k; i++, w += p->width)
            sum_add(&total, (double)g->segment[s].a[row * g->segment[s].stride + i], (double)*w);
    return activated(sum_result(&total), g->activation);
}

static void random_problem(const scarlet__kernels *k, values kind, problem *p)
{
    const size_t vectors = random_between(1, SCARLET__GEMM_VECTORS);
    const size_t rows = random_below(8) ? random_between(1, 30) : 112;
    const bool residual = random_below(3) == 0;
    *p = (problem){.width = vectors * (size_t)k->vector};
    const size_t out_stride = p->width + (random_below(2) ? random_below(40) : 0);
    const size_t out_count = (rows - 1) * out_stride + p->width;
    p->g = (scarlet__gemm){
        .segment = p->segment,
        .segments = random_below(2) ? 1 : random_between(1, SEGMENTS_MAX),
        .out_stride = out_stride,
        .rows = rows,
        .vectors = (int)vectors,
        .activation = residual ? SCARLET__LINEAR : (scarlet__activation)random_below(3),
        .prefetch = &p->prefetch,
    };
    for (size_t s = 0; s < p->g.segments; s++) {
        size_t n = random_between(1, K_MAX);
        /* Overlapping rows too, as the stem's. */
        size_t stride = random_below(4) ? n + random_below(20) : random_between(1, n);
        float *a = guard_floats((rows - 1) * stride + n);
        random_fill(a, (rows - 1) * stride + n, kind, 2);
        p->segment[s] = (scarlet__segment){a, stride, n};
        p->k += n;
    }
    check_begin("gemm %zux%zux%zu, %zu segments, activation %d%s, out stride %zu", rows, p->k,
                p->width, p->g.segments, (int)p->g.activation, residual ? ", residual" : "",
                out_stride);
    float *weights = guard_floats(p->k * p->width), *bias = guard_floats(p->width);
    random_fill(weights, p->k * p->width, kind, 0.5f);
    random_fill(bias, p->width, kind, 2);
    p->g.weights = weights;
    p->g.bias = bias;
    if (residual) {
        float *r = guard_floats(out_count);
        random_fill(r, out_count, kind, 2);
        p->g.residual = r;
    }
    p->g.out = p->out = guard_floats(out_count);
    guard_mark(p->out, out_count);
    if (random_below(2)) { /* fetching is a hint: no address may fault */
        const char *at = guard_forbidden();
        p->prefetch = (scarlet__prefetch){at, at + 64 * random_below(1000)};
    }
}

/* The same bits; any NaN is like any other. */
static bool same(const float *a, const float *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(a + i, b + i, sizeof *a) != 0 && !(isnan(a[i]) && isnan(b[i])))
            return false;
    return true;
}

/* Rows from `first` on once more, in another place of other tiles: the same bits. */
static void check_cut(const scarlet__kernels *k, const problem *p)
{
    problem part = *p;
    const size_t first = random_below(p->g.rows), stride = p->g.out_stride;
    part.g.rows = random_between(1, p->g.rows - first);
    for (size_t s = 0; s < p->g.segments; s++)
        part.segment[s].a += first * part.segment[s].stride;
    part.g.segment = part.segment;
    part.g.prefetch = &part.prefetch;
    if (part.g.residual)
        part.g.residual += first * stride;
    part.g.out = part.out = guard_floats((part.g.rows - 1) * stride + p->width);
    k->gemm(&part.g);
    for (size_t r = 0; r < part.g.rows; r++)
        if (!same(part.out + r * stride, p->out + (first + r) * stride, p->width))
            check_fail("row %zu has other bits when only rows from %zu on are computed", first + r,
                       first);
}

static void check_matrix(const scarlet__kernels *k, values kind)
{
    problem p;
    random_problem(k, kind, &p);
    k->gemm(&p.g);
    for (size_t r = 0; r < p.g.rows; r++) {
        for (size_t j = 0; j < p.width; j++) {
            float found = p.out[r * p.g.out_stride + j];
            approximate expected = product(&p, r, j);
            if (!agrees(found, expected))
                check_fail("row %zu, column %zu: %.9g instead of %.9g +- %.2g", r, j, (double)found,
                           expected.value, expected.error);
        }
        if (r + 1 < p.g.rows &&
            !guard_untouched(p.out + r * p.g.out_stride + p.width, p.g.out_stride - p.width))
            check_fail("wrote past row %zu", r);
    }
    check_cut(k, &p);
}

static void check_vector(const scarlet__kernels *kernels, values kind)
{
    const size_t vectors = random_between(1, SCARLET__GEMV_VECTORS), k = random_between(1, 300);
    const size_t width = vectors * (size_t)kernels->vector;
    check_begin("gemv %zux%zu", k, width);
    float *x = guard_floats(k), *w = guard_floats(k * width), *bias = guard_floats(width);
    float *y = guard_floats(width);
    random_fill(x, k, kind, 2);
    random_fill(w, k * width, kind, 0.5f);
    random_fill(bias, width, kind, 2);
    kernels->gemv(x, k, w, bias, y, (int)vectors);
    for (size_t j = 0; j < width; j++) {
        sum total = {0};
        sum_add(&total, (double)bias[j], 1);
        for (size_t i = 0; i < k; i++)
            sum_add(&total, (double)x[i], (double)w[i * width + j]);
        approximate expected = sum_result(&total);
        if (!agrees(y[j], expected))
            check_fail("value %zu: %.9g instead of %.9g +- %.2g", j, (double)y[j], expected.value,
                       expected.error);
    }
}

void check_gemm(const scarlet__kernels *k, values kind)
{
    if (random_below(3))
        check_matrix(k, kind);
    else
        check_vector(k, kind);
}

/* ---- speed ---- */

/* rows x k x columns, columns a multiple of 48. */
static void run_gemm(const scarlet__kernels *kernels, const size_t *shape, float *pool)
{
    const size_t rows = shape[0], k = shape[1], columns = shape[2];
    const size_t width = SCARLET__GEMM_VECTORS * (size_t)kernels->vector;
    const scarlet__segment segment = {pool, k, k};
    scarlet__prefetch none = {0};
    scarlet__gemm g = {.segment = &segment,
                       .segments = 1,
                       .weights = pool + rows * k,
                       .bias = pool,
                       .out = pool + rows * k + k * columns,
                       .out_stride = columns,
                       .rows = rows,
                       .vectors = SCARLET__GEMM_VECTORS,
                       .activation = (scarlet__activation)shape[3],
                       .prefetch = &none};
    for (size_t c = 0; c < columns; c += width, g.weights += k * width, g.out += width)
        kernels->gemm(&g);
}

static void run_gemv(const scarlet__kernels *kernels, const size_t *shape, float *pool)
{
    const size_t k = shape[0], width = SCARLET__GEMV_VECTORS * (size_t)kernels->vector;
    for (size_t c = 0; c < shape[1]; c += width)
        kernels->gemv(pool, k, pool + k + c * k, pool, pool + k + shape[1] * k + c,
                      SCARLET__GEMV_VECTORS);
}

#define GEMM(name, rows, k, columns, activation)                                                   \
    {                                                                                              \
        "gemm " #rows "x" #k "x" #columns ", " name, run_gemm, {rows, k, columns, activation},     \
            1.0 * rows *k *columns, false                                                          \
    }
#define GEMV(k, columns)                                                                           \
    {                                                                                              \
        "gemv " #k "x" #columns, run_gemv, {k, columns}, 1.0 * k *columns, false                   \
    }
const speed speeds_gemm[] = {
    GEMM("h-swish", 112, 16, 96, SCARLET__HSWISH6),
    GEMM("h-swish", 196, 96, 288, SCARLET__HSWISH6),
    GEMM("linear", 196, 288, 96, SCARLET__LINEAR),
    GEMM("linear", 49, 576, 192, SCARLET__LINEAR),
    GEMM("ReLU6", 49, 320, 1248, SCARLET__RELU6),
    GEMV(1152, 288),
    GEMV(1280, 960),
    {0},
};
