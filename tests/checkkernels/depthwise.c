#include "check.h"

enum { KERNEL_MAX = 7 };

typedef struct {
    size_t k, stride, channels, width, out_stride, vector;
    scarlet__activation activation;
} shape;

static shape random_shape(const scarlet__kernels *k)
{
    static const scarlet__activation activations[] = {SCARLET__RELU6, SCARLET__HSWISH6};
    shape s = {.k = 3 + 2 * random_below(3),
               .stride = 1 + random_below(2),
               .vector = (size_t)k->vector,
               .width = random_below(8) ? random_between(1, 30) : 56,
               .activation = activations[random_below(2)]};
    s.channels = s.vector * random_between(1, 3);
    s.out_stride = s.channels + (random_below(2) ? random_below(40) : 0);
    return s;
}

/* Output x of channel c, before the activation. */
static approximate convolve(const shape *s, const float *const *rows, const float *weights,
                            const float *bias, size_t x, size_t c)
{
    const size_t taps = s->k * s->k;
    const float *w = weights + c / s->vector * taps * s->vector + c % s->vector;
    sum total = {0};
    sum_add(&total, (double)bias[c], 1);
    for (size_t t = 0; t < taps; t++)
        sum_add(&total, (double)rows[t / s->k][(x * s->stride + t % s->k) * s->channels + c],
                (double)w[t * s->vector]);
    return sum_result(&total);
}

static void compare(const shape *s, const float *const *rows, const float *weights,
                    const float *bias, const float *out, const float *before, const float *after)
{
    for (size_t c = 0; c < s->channels; c++) {
        sum total = {0};
        double error = 0;
        if (before)
            sum_add(&total, (double)before[c], 1);
        for (size_t x = 0; x < s->width; x++) {
            float found = out[x * s->out_stride + c];
            approximate expected = activated(convolve(s, rows, weights, bias, x, c), s->activation);
            if (!agrees(found, expected))
                check_fail("pixel %zu, channel %zu: %.9g instead of %.9g +- %.2g", x, c,
                           (double)found, expected.value, expected.error);
            sum_add(&total, expected.value, 1);
            error += expected.error;
        }
        if (after)
            check_total(c, after[c], &total, error);
    }
    for (size_t x = 0; x + 1 < s->width; x++)
        if (!guard_untouched(out + x * s->out_stride + s->channels, s->out_stride - s->channels))
            check_fail("wrote past the channels of pixel %zu", x);
}

void check_depthwise(const scarlet__kernels *k, values kind)
{
    const shape s = random_shape(k);
    const bool sums = random_below(2);
    check_begin("depthwise %zux%zu, stride %zu, %zu channels, width %zu, out stride %zu, %s%s", s.k,
                s.k, s.stride, s.channels, s.width, s.out_stride,
                s.activation == SCARLET__RELU6 ? "ReLU6" : "h-swish", sums ? ", sums" : "");
    const size_t tiles = (s.width + SCARLET__TILE - 1) / SCARLET__TILE * SCARLET__TILE;
    const size_t used = ((s.width - 1) * s.stride + s.k) * s.channels;
    const size_t read = ((tiles - 1) * s.stride + s.k) * s.channels;
    const size_t out_count = (s.width - 1) * s.out_stride + s.channels;
    const size_t weight_count = s.channels * s.k * s.k;
    const float *rows[KERNEL_MAX];
    float *weights = guard_floats(weight_count), *bias = guard_floats(s.channels);
    float *out = guard_floats(out_count);
    float *sum_row = sums ? guard_floats(s.channels) : NULL, before[SCARLET__CHUNK_MAX];
    for (size_t i = 0; i < s.k; i++) {
        float *row = guard_floats(read);
        random_fill(row, used, kind, 2);
        guard_mark(row + used, read - used); /* read, but must not count */
        rows[i] = row;
    }
    random_fill(weights, weight_count, kind, 3 / (float)s.k);
    random_fill(bias, s.channels, kind, 3);
    guard_mark(out, out_count);
    if (sum_row)
        random_fill(sum_row, s.channels, ORDINARY, 20);
    for (size_t c = 0; sum_row && c < s.channels; c++)
        before[c] = sum_row[c];
    k->depthwise[s.k / 2 - 1][s.stride - 1](&(scarlet__depthwise){
        rows, s.channels, weights, bias, out, s.out_stride, s.width, s.activation, sum_row});
    compare(&s, rows, weights, bias, out, sum_row ? before : NULL, sum_row);
}

/* ---- speed: a map of side x side, its row in the first-level cache ---- */

static void run(const scarlet__kernels *kernels, const size_t *size, float *pool)
{
    const size_t k = size[0], stride = size[1], side = size[2], channels = 48;
    const size_t row = (side * stride + k + 16) * channels;
    const float *rows[KERNEL_MAX];
    float *weights = pool + k * row, *out = weights + k * k * channels;
    for (size_t i = 0; i < k; i++)
        rows[i] = pool + i * row;
    const size_t chunk = 3 * (size_t)kernels->vector;
    const scarlet__depthwise d = {rows,  chunk, weights,          weights, out,
                                  chunk, side,  SCARLET__HSWISH6, NULL};
    for (size_t y = 0; y < side; y++)
        for (size_t c = 0; c < channels; c += chunk)
            kernels->depthwise[k / 2 - 1][stride - 1](&d);
}

#define DEPTHWISE(k, stride, side)                                                                 \
    {                                                                                              \
        "depthwise " #k "x" #k " stride " #stride ", " #side "x" #side "x48", run,                 \
            {k, stride, side}, 48.0 * k *k *side *side, false                                      \
    }
const speed speeds_depthwise[] = {
    DEPTHWISE(3, 1, 56),
    DEPTHWISE(5, 1, 28),
    DEPTHWISE(7, 1, 14),
    DEPTHWISE(3, 2, 28),
    DEPTHWISE(5, 2, 14),
    DEPTHWISE(7, 2, 7),
    {0},
};
