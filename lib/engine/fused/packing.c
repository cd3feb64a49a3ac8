/* Quantised weights: one scale an output channel. */
#include "engine/fused/packing.h"

#include <math.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "engine/pack.h"

/* Largest integers: of a block's input; of its depthwise part's output; of weights for gemm; of
 * weights for gemv. The sums are 32 bits wide: they hold many products of 13 and 12 bits. */
static const struct {
    float map, hidden, weight, vector_weight;
} levels_of[] = {
    [SCARLET_PRECISION_INT16] = {4095, 8190, 2047, INT16_MAX},
    [SCARLET_PRECISION_INT8] = {INT8_MAX, UINT8_MAX, INT8_MAX, INT8_MAX},
};

void *scarlet__cursor_take(scarlet__cursor *c, size_t bytes)
{
    void *at = scarlet__cursor_place(c);
    c->used +=
        scarlet__round_up((bytes + sizeof *c->memory - 1) / sizeof *c->memory, SCARLET__VECTOR_MAX);
    return at;
}

scarlet_status scarlet__cursor_make_room(scarlet__cursor *c, scarlet_error *err)
{
    const size_t rows = 1 + SCARLET__VECTOR_MAX / 2; /* integers are words at most */
    c->row = scarlet__alloc(c->row_room, rows * sizeof *c->row);
    return c->row ? SCARLET_OK : scarlet__fail_memory(err);
}

/* Largest integer for these weights: sums of products with integers up to `largest` must stay
 * within 32 bits, rounded as they are. */
static float bounded_levels(const float *weight, size_t k, float levels, float largest)
{
    double limit = INT32_MAX / (double)largest - (double)k / 2 - 1, sum = 0, most = 0;
    if ((double)levels * (double)k <= limit)
        return levels;
    for (size_t i = 0; i < k; i++) {
        double x = fabs((double)weight[i]);
        sum += x;
        most = x > most ? x : most;
    }
    return sum * (double)levels > limit * most ? (float)floor(limit * most / sum) : levels;
}

/* Where integers of the vector's output r are, `padded` of them. */
static void *integers_of(const scarlet__cursor *c, size_t r, size_t padded)
{
    return (int16_t *)(void *)(c->row + c->row_room) + r * padded;
}

/* Quantises the weights of a vector of outputs, from `first` on; what is past the last output
 * or value is zero. */
static void quantize(const scarlet__cursor *c, const scarlet__plain *p,
                     const scarlet__integer_kernels *kernels, size_t vector, size_t first,
                     size_t padded, float levels, float largest, float *scale)
{
    for (size_t r = 0; r < vector; r++) {
        const size_t o = first + r;
        const bool whole = o < p->out && p->in == padded;
        const float *row = whole ? p->weight + o * p->in : c->row;
        if (!whole) {
            memset(c->row, 0, padded * sizeof *row);
            if (o < p->out)
                memcpy(c->row, p->weight + o * p->in, p->in * sizeof *row);
        }
        float unused;
        kernels->quantize(row, 1, padded, bounded_levels(row, p->in, levels, largest),
                          integers_of(c, r, padded), o < p->out ? scale + o : &unused);
    }
}

static int64_t sum_of(const void *q, size_t k, size_t group)
{
    int32_t sum = 0; /* k is far below 2^16 */
    if (group == 2) {
        for (size_t i = 0; i < k; i++)
            sum += ((const int16_t *)q)[i];
        return sum;
    }
    for (size_t i = 0; i < k; i++)
        sum += ((const uint8_t *)q)[i];
    return sum - 128 * (int64_t)k;
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
    size_t room = scarlet__round_up(k, SCARLET__VECTOR_MAX);
    c->row_room = room > c->row_room ? room : c->row_room;
}

void scarlet__pack_integers(scarlet__cursor *c, const scarlet__kernels *kernels, int precision,
                            const scarlet__plain *p, scarlet__packed_dense *d)
{
    const scarlet__integer_kernels *integer =
        scarlet__integers(kernels, precision == SCARLET_PRECISION_INT8);
    const size_t group = integer->group, vector = (size_t)kernels->vector;
    const size_t k = scarlet__round_up(p->k, group), groups = k / group;
    const size_t padded = scarlet__round_up(k, vector);
    /* Unsigned bytes become signed by their top bit. */
    const uint32_t flip = integer->offset ? 0x80808080 : 0;
    d->begin = scarlet__cursor_place(c);
    int32_t *start = scarlet__cursor_take(c, scarlet__round_up(p->out, vector) * sizeof *start);
    d->start = start;
    d->kernels = integer;
    d->levels = p->hidden ? levels_of[precision].hidden : levels_of[precision].map;
    take(c, p, vector, k, groups * 4, d);
    if (!c->memory)
        return;
    float *bias = (float *)d->bias, *scale = (float *)d->scale;
    for (size_t n = 0; n < d->out.count; n++) {
        size_t width = scarlet__chunk_width(&d->out, n), first = scarlet__chunk_offset(&d->out, n);
        char *out = (char *)d->integers + first * d->output_bytes;
        for (size_t j = 0; j < width; j += vector) {
            quantize(c, p, integer, vector, first + j, padded, levels_of[precision].weight,
                     d->levels, scale);
            for (size_t g = 0; g < groups; g++)
                for (size_t r = 0; r < vector; r++) {
                    uint32_t values;
                    memcpy(&values, (const char *)integers_of(c, r, padded) + 4 * g, sizeof values);
                    values ^= flip;
                    memcpy(out + (g * width + j + r) * 4, &values, sizeof values);
                }
            for (size_t r = 0; r < vector && first + j + r < p->out; r++) {
                const size_t o = first + j + r;
                scale[o] *= p->gain;
                const int64_t sum = sum_of(integers_of(c, r, padded), k, group);
                const double least = (double)p->least * (double)scale[o];
                start[o] = p->hidden ? 0 : (int32_t)(-integer->offset * sum);
                bias[o] =
                    p->hidden ? (float)((double)p->bias[o] - least * (double)sum) : p->bias[o];
            }
        }
    }
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (bytes16){__VA_ARGS__})
#endif

/* 16 x 16 bytes by four perfect shuffles of their rows. */
static void transpose(bytes16 x[16])
{
    for (int stage = 0; stage < 4; stage++) {
        bytes16 y[16];
        for (int i = 0; i < 8; i++) {
            const bytes16 a = x[i], b = x[i + 8];
            y[2 * i] = SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            y[2 * i + 1] =
                SHUFFLE(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        memcpy(x, y, sizeof y);
    }
}

/* Rows of k small words to bytes, value by value: `vector` of them, at most 16, every `width`. */
static void interleave(const int16_t *rows, size_t padded, size_t k, size_t vector, size_t width,
                       int8_t *out)
{
    for (size_t i = 0; i < k; i += 16) {
        const size_t count = k - i < 16 ? k - i : 16; /* what is read past k is not kept */
        bytes16 x[16];
        memset(x, 0, sizeof x);
        for (size_t r = 0; r < vector; r++)
            for (size_t j = 0; j < 16; j++)
                x[r][j] = (uint8_t)rows[r * padded + i + j];
        transpose(x);
        for (size_t j = 0; j < count; j++)
            if (vector == 16)
                memcpy(out + (i + j) * width, &x[j], 16);
            else
                memcpy(out + (i + j) * width, &x[j], vector);
    }
}

void scarlet__pack_vector_integers(scarlet__cursor *c, const scarlet__kernels *kernels,
                                   int precision, const scarlet__plain *p, scarlet__packed_dense *d)
{
    const float levels = levels_of[precision].vector_weight;
    const bool narrow = levels <= INT8_MAX;
    const size_t vector = (size_t)kernels->vector, padded = scarlet__round_up(p->k, vector);
    d->begin = scarlet__cursor_place(c);
    take(c, p, vector, p->k, p->k * (narrow ? 1 : 2), d);
    if (!c->memory)
        return;
    scarlet__pack_bias(p->bias, p->out, vector, (float *)d->bias);
    for (size_t n = 0; n < d->out.count; n++) {
        size_t width = scarlet__chunk_width(&d->out, n), first = scarlet__chunk_offset(&d->out, n);
        int8_t *out8 = (int8_t *)d->integers + first * d->output_bytes;
        int16_t *out16 = (int16_t *)(void *)out8;
        for (size_t j = 0; j < width; j += vector) {
            quantize(c, p, &kernels->words, vector, first + j, padded, levels, 0,
                     (float *)d->scale);
            const int16_t *q = integers_of(c, 0, padded);
            if (narrow) {
                interleave(q, padded, p->k, vector, width, out8 + j);
                continue;
            }
            for (size_t i = 0; i < p->k; i++)
                for (size_t r = 0; r < vector; r++)
                    out16[i * width + j + r] = q[r * padded + i];
        }
    }
}
