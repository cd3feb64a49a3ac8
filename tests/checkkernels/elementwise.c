#include <math.h>
#include <string.h>

#include "check.h"

static void fail_at(size_t i, float found, approximate expected)
{
    check_fail("value %zu: %.9g instead of %.9g +- %.2g", i, (double)found, expected.value,
               expected.error);
}

/* One float32 operation has one right answer. */
static void compare_exactly(const float *found, const float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(expected[i]) ? !isnan(found[i]) : found[i] != expected[i])
            fail_at(i, found[i], (approximate){(double)expected[i], 0});
}

static void copy(float *to, const float *from, size_t count)
{
    memcpy(to, from, count * sizeof *to);
}

static size_t random_channels(const scarlet__kernels *k)
{
    return (size_t)k->vector * random_between(1, 6);
}

static void check_activate(const scarlet__kernels *k, values kind)
{
    const size_t channels = random_channels(k), pixels = random_between(1, 20);
    const size_t in_stride = channels + random_below(9), out_stride = channels + random_below(9);
    const scarlet__activation a = (scarlet__activation)random_below(3);
    check_begin("activate %d, %zu channels, %zu pixels, strides %zu and %zu", (int)a, channels,
                pixels, in_stride, out_stride);
    const size_t in_count = (pixels - 1) * in_stride + channels;
    const size_t out_count = (pixels - 1) * out_stride + channels;
    float *in = guard_floats(in_count), *out = guard_floats(out_count);
    random_fill(in, in_count, kind, 8);
    guard_mark(out, out_count);
    k->activate(in, in_stride, out, out_stride, pixels, channels, a);
    for (size_t p = 0; p < pixels; p++) {
        for (size_t c = 0; c < channels; c++) {
            approximate expected = activated((approximate){(double)in[p * in_stride + c], 0}, a);
            if (!agrees(out[p * out_stride + c], expected))
                fail_at(p * channels + c, out[p * out_stride + c], expected);
        }
        if (p + 1 < pixels &&
            !guard_untouched(out + p * out_stride + channels, out_stride - channels))
            check_fail("wrote past the channels of pixel %zu", p);
    }
}

static void check_hard_sigmoid(const scarlet__kernels *k, values kind)
{
    const size_t channels = random_channels(k);
    check_begin("hard_sigmoid, %zu channels", channels);
    float *gate = guard_floats(channels), *before = guard_floats(channels);
    random_fill(before, channels, kind, 5);
    copy(gate, before, channels);
    k->hard_sigmoid(gate, channels);
    for (size_t c = 0; c < channels; c++) {
        sum x = {0};
        sum_add(&x, (double)before[c], 1);
        sum_add(&x, 3, 1);
        approximate expected = activated(sum_result(&x), SCARLET__RELU6);
        expected = (approximate){expected.value / 6, expected.error / 6 + 0x1p-22};
        if (!agrees(gate[c], expected))
            fail_at(c, gate[c], expected);
    }
}

static void check_scale(const scarlet__kernels *k, values kind)
{
    const size_t channels = random_channels(k), pixels = random_between(1, 20);
    const size_t count = channels * pixels;
    check_begin("scale, %zu channels, %zu pixels", channels, pixels);
    float *x = guard_floats(count), *gate = guard_floats(channels), *y = guard_floats(count);
    random_fill(x, count, kind, 8);
    random_fill(gate, channels, kind, 1);
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] * gate[i % channels];
    k->scale(x, gate, pixels, channels);
    compare_exactly(x, y, count);
}

static void check_scale_rows(const scarlet__kernels *k, values kind)
{
    const size_t width = random_channels(k), rows = random_between(1, 20), count = width * rows;
    check_begin("scale_rows, %zu rows of %zu", rows, width);
    float *x = guard_floats(count), *gate = guard_floats(rows), *y = guard_floats(count);
    float *out = guard_floats(count);
    random_fill(x, count, kind, 8);
    random_fill(gate, rows, kind, 1);
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] * gate[i / width];
    k->scale_rows(x, gate, rows, width, out);
    compare_exactly(out, y, count);
}

static void check_add(const scarlet__kernels *k, values kind)
{
    const size_t count = random_channels(k) * random_between(1, 20);
    check_begin("add, %zu values", count);
    float *x = guard_floats(count), *y = guard_floats(count), *expected = guard_floats(count);
    random_fill(x, count, kind, 8);
    random_fill(y, count, kind, 8);
    for (size_t i = 0; i < count; i++)
        expected[i] = x[i] + y[i];
    k->add(x, y, count);
    compare_exactly(x, expected, count);
}

static void check_mean(const scarlet__kernels *k, values kind)
{
    const size_t channels = random_channels(k), pixels = random_between(1, 200);
    const float factor = 1.0f / (float)random_between(1, 200);
    check_begin("mean, %zu channels, %zu pixels, factor %g", channels, pixels, (double)factor);
    float *x = guard_floats(channels * pixels), *out = guard_floats(channels);
    random_fill(x, channels * pixels, kind, 8);
    k->mean(x, pixels, channels, factor, out);
    for (size_t c = 0; c < channels; c++) {
        sum total = {0};
        for (size_t p = 0; p < pixels; p++)
            sum_add(&total, (double)x[p * channels + c], (double)factor);
        if (!agrees(out[c], sum_result(&total)))
            fail_at(c, out[c], sum_result(&total));
    }
}

void check_elementwise(const scarlet__kernels *k, values kind)
{
    static void (*const checks[])(const scarlet__kernels *, values) = {
        check_activate, check_hard_sigmoid, check_scale, check_scale_rows, check_add, check_mean};
    checks[random_below(sizeof checks / sizeof *checks)](k, kind);
}

/* ---- speed: pixels x channels that fit in the second-level cache ---- */

enum { PIXELS = 196, CHANNELS = 480 };
static const double VALUES = PIXELS * CHANNELS * sizeof(float);

static void run_activate(const scarlet__kernels *k, const size_t *shape, float *pool)
{
    (void)shape;
    k->activate(pool, CHANNELS, pool + PIXELS * CHANNELS, CHANNELS, PIXELS, CHANNELS,
                SCARLET__HSWISH6);
}

/* Gates of ones: the values stay as they are over any number of runs. */
static float *ones(float *pool)
{
    float *gate = pool + 2 * PIXELS * CHANNELS;
    for (size_t i = 0; i < CHANNELS; i++)
        gate[i] = 1;
    return gate;
}

static void run_scale(const scarlet__kernels *k, const size_t *shape, float *pool)
{
    (void)shape;
    k->scale(pool, ones(pool), PIXELS, CHANNELS);
}

static void run_scale_rows(const scarlet__kernels *k, const size_t *shape, float *pool)
{
    (void)shape;
    k->scale_rows(pool, ones(pool), PIXELS, CHANNELS, pool + PIXELS * CHANNELS);
}

static void run_add(const scarlet__kernels *k, const size_t *shape, float *pool)
{
    (void)shape;
    float *zeros = pool + 2 * PIXELS * CHANNELS;
    if (zeros[0] != 0)
        memset(zeros, 0, PIXELS * CHANNELS * sizeof *zeros);
    k->add(pool, zeros, PIXELS * CHANNELS);
}

static void run_mean(const scarlet__kernels *k, const size_t *shape, float *pool)
{
    (void)shape;
    k->mean(pool, PIXELS, CHANNELS, 1.0f / PIXELS, pool + PIXELS * CHANNELS);
}

#define SIZE ", 196 pixels x 480"
const speed speeds_elementwise[] = {
    {"activate" SIZE, run_activate, {0}, 2 * VALUES, true},
    {"scale" SIZE, run_scale, {0}, 2 * VALUES, true},
    {"scale_rows" SIZE, run_scale_rows, {0}, 2 * VALUES, true},
    {"add" SIZE, run_add, {0}, 3 * VALUES, true},
    {"mean" SIZE, run_mean, {0}, VALUES, true},
    {0},
};
