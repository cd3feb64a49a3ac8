/* Quantised weights: one scale an output channel. */
#include "engine/fused/packing.h"

#include <math.h>
#include <string.h>

#include "engine/pack.h"

/* Largest integers: of a block's input; of what its depthwise part gives; of weights for gemm; of
 * weights for gemv. The sums are 32 bits wide: they hold many products of 13 and 12 bits. */
static const struct {
    float map, hidden, weight, vector_weight;
} levels_of[] = {
    [SCARLET_PRECISION_INT16] = {4095, 8190, 2047, INT16_MAX},
    [SCARLET_PRECISION_INT8] = {INT8_MAX, UINT8_MAX, INT8_MAX, INT8_MAX},
};

void *scarlet__cursor_take(scarlet__cursor *c, size_t bytes)
{
    float *at = c->memory ? c->memory + c->used : NULL;
    c->used += scarlet__round_up((bytes + sizeof *at - 1) / sizeof *at, SCARLET__VECTOR_MAX);
    return at;
}

/* Output o's weights with zeros up to whole vectors. */
static const float *row(const scarlet__cursor *c, const scarlet__plain *p, size_t o, size_t padded)
{
    memcpy(c->row, p->weight + o * p->in, p->in * sizeof *c->row);
    memset(c->row + p->in, 0, (padded - p->in) * sizeof *c->row);
    return c->row;
}

/* Largest integer for these weights: sums of products with integers up to `largest` must stay
 * within 32 bits, rounded as they are. */
static float bounded_levels(const float *weight, size_t k, float levels, float largest)
{
    double sum = 0, most = 0;
    for (size_t i = 0; i < k; i++) {
        double x = fabs((double)weight[i]);
        sum += x;
        most = x > most ? x : most;
    }
    double limit = INT32_MAX / (double)largest - (double)k / 2 - 1;
    return sum * (double)levels > limit * most ? (float)floor(limit * most / sum) : levels;
}

static int64_t sum_of(const void *q, size_t k, size_t group)
{
    int64_t sum = 0;
    for (size_t i = 0; i < k; i++)
        sum += group == 4 ? (int)((const uint8_t *)q)[i] - 128 : ((const int16_t *)q)[i];
    return sum;
}

static void take(scarlet__cursor *c, const scarlet__plain *p, size_t vector, size_t k, size_t bytes,
                 scarlet__packed_dense *d)
{
    d->out = scarlet__cut(p->out, vector, p->most);
    d->k = k;
    d->output_bytes = bytes;
    d->bias = scarlet__cursor_take(c, d->out.padded * sizeof *d->bias);
    d->scale = scarlet__cursor_take(c, d->out.padded * sizeof *d->scale);
    d->integers = scarlet__cursor_take(c, d->out.padded * bytes);
    size_t room = scarlet__round_up(k, vector);
    c->row_room = room > c->row_room ? room : c->row_room;
}

void scarlet__pack_integers(scarlet__cursor *c, const scarlet__kernels *kernels, int precision,
                            const scarlet__plain *p, bool hidden, scarlet__packed_dense *d)
{
    const scarlet__integer_kernels *integer =
        scarlet__integers(kernels, precision == SCARLET_PRECISION_INT8);
    const size_t group = integer->group, vector = (size_t)kernels->vector;
    const size_t k = scarlet__round_up(p->k, group), groups = k / group;
    const size_t padded = scarlet__round_up(k, vector);
    /* Unsigned bytes become signed by their top bit. */
    const uint32_t flip = integer->offset ? 0x80808080 : 0;
    int32_t *start = scarlet__cursor_take(c, scarlet__round_up(p->out, vector) * sizeof *start);
    d->start = start;
    d->kernels = integer;
    d->levels = hidden ? levels_of[precision].hidden : levels_of[precision].map;
    take(c, p, vector, k, groups * 4, d);
    if (!c->memory)
        return;
    float *bias = (float *)d->bias, *scale = (float *)d->scale;
    char *out = (char *)d->integers, *q = (char *)(c->row + c->row_room);
    for (size_t n = 0; n < d->out.count; n++) {
        size_t width = scarlet__chunk_width(&d->out, n), first = scarlet__chunk_offset(&d->out, n);
        for (size_t j = 0; j < width && first + j < p->out; j++) {
            const size_t o = first + j;
            const float *from = row(c, p, o, padded);
            float levels = bounded_levels(from, p->in, levels_of[precision].weight, d->levels);
            integer->quantize(from, 1, padded, levels, q, scale + o);
            for (size_t g = 0; g < groups; g++) {
                uint32_t values;
                memcpy(&values, q + 4 * g, sizeof values);
                values ^= flip;
                memcpy(out + (g * width + j) * 4, &values, sizeof values);
            }
            int64_t sum = sum_of(q, k, group);
            start[o] = hidden ? 0 : (int32_t)(-integer->offset * sum);
            bias[o] = hidden ? (float)((double)p->bias[o] - (double)SCARLET__HSWISH6_LEAST *
                                                                (double)scale[o] * (double)sum)
                             : p->bias[o];
        }
        out += width * d->output_bytes;
    }
}

void scarlet__pack_vector_integers(scarlet__cursor *c, const scarlet__kernels *kernels,
                                   int precision, const scarlet__plain *p,
                                   scarlet__packed_dense *d)
{
    const float levels = levels_of[precision].vector_weight;
    const bool narrow = levels <= INT8_MAX;
    const size_t vector = (size_t)kernels->vector, padded = scarlet__round_up(p->k, vector);
    take(c, p, vector, p->k, p->k * (narrow ? 1 : 2), d);
    if (!c->memory)
        return;
    float *scale = (float *)d->scale;
    int8_t *out = (int8_t *)d->integers;
    int16_t *q = (int16_t *)(void *)(c->row + c->row_room);
    scarlet__pack_bias(p->bias, p->out, vector, (float *)d->bias);
    for (size_t n = 0; n < d->out.count; n++) {
        size_t width = scarlet__chunk_width(&d->out, n), first = scarlet__chunk_offset(&d->out, n);
        for (size_t j = 0; j < width && first + j < p->out; j++) {
            const float *from = row(c, p, first + j, padded);
            kernels->words.quantize(from, 1, padded, levels, q, scale + first + j);
            if (narrow)
                for (size_t i = 0; i < p->k; i++)
                    out[i * width + j] = (int8_t)q[i];
            else
                for (size_t i = 0; i < p->k; i++)
                    ((int16_t *)(void *)out)[i * width + j] = q[i];
        }
        out += width * d->output_bytes;
    }
}
