/* Products of integers, and what makes integers of activations. */
#include "engine/fused/fused.h"

enum { STEP = SCARLET__QUANTIZED_PIXELS };

static size_t floats(const scarlet__packed_dense *d, size_t count)
{
    return count / d->kernels->group; /* whole vectors are whole groups */
}

static void dense(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                  const float *integers, const float *integers_scale, size_t channels, size_t rows,
                  float *out, size_t out_stride, const float *residual,
                  scarlet__activation activation)
{
    const size_t at = scarlet__chunk_offset(&d->out, n);
    const scarlet__integer_gemm g = {
        .a = integers,
        .stride = floats(d, channels) * sizeof *integers,
        .groups = d->k / d->kernels->group,
        .a_scale = integers_scale,
        .weights = d->integers + at * d->output_bytes,
        .start = d->start + at,
        .scale = d->scale + at,
        .bias = d->bias + at,
        .residual = residual,
        .out = out,
        .out_stride = out_stride,
        .rows = rows,
        .vectors = (int)scarlet__chunk_vectors(&d->out, n),
        .activation = activation,
        .prefetch = &w->s->prefetch,
    };
    d->kernels->gemm(&g);
}

void scarlet__quantized_expand(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                               const scarlet__map *in, int channels, size_t first, size_t rows,
                               float *out, scarlet__activation activation)
{
    const size_t stride = scarlet__fused_padded(w->j->x, channels);
    dense(w, d, n, in->integers + floats(d, first * stride), in->scale + first, stride, rows, out,
          scarlet__chunk_width(&d->out, n), NULL, activation);
}

void scarlet__quantize_map(const scarlet__step *t, const scarlet__map *map, size_t channels,
                           size_t first, size_t rows)
{
    const scarlet__packed_dense *d = t->reader;
    if (d && d->integers)
        d->kernels->quantize(map->values + first * channels, rows, channels, d->levels,
                             map->integers + floats(d, first * channels), map->scale + first);
}

void scarlet__quantized_project(const scarlet__worker *w, const scarlet__step *t,
                                const float *hidden, size_t pixels, size_t hidden_first,
                                size_t rows, const scarlet__map *in, const scarlet__map *out,
                                size_t first)
{
    const scarlet__packed_dense *d = &t->weights->project;
    const float *gate = t->layer->squeeze ? w->lane->gate : NULL;
    for (size_t end = first + rows; first < end; first += STEP, hidden_first += STEP) {
        const size_t count = end - first < STEP ? end - first : STEP;
        const size_t segments = scarlet__fused_segments(w, t, hidden, pixels, hidden_first);
        const scarlet__hidden values = {
            .segment = w->s->segment,
            .segments = segments,
            .gate = gate,
            .pixels = count,
            .levels = d->levels,
            .q = w->s->quantized,
            .scale = w->s->quantized_scale,
        };
        d->kernels->quantize_hidden(&values);
        for (size_t n = 0; n < d->out.count; n++) {
            size_t at = first * d->out.padded + scarlet__chunk_offset(&d->out, n);
            dense(w, d, n, w->s->quantized, w->s->quantized_scale, t->weights->hidden.padded, count,
                  out->values + at, d->out.padded, in ? in->values + at : NULL, SCARLET__LINEAR);
        }
        scarlet__quantize_map(t, out, d->out.padded, first, count);
    }
}

void scarlet__quantized_panel(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                              const float *x, float *y)
{
    const size_t at = scarlet__chunk_offset(&d->out, n);
    const char *weights = d->integers + at * d->output_bytes;
    const int vectors = (int)scarlet__chunk_vectors(&d->out, n);
    if (d->output_bytes == d->k)
        w->k->gemv8(x, d->k, (const int8_t *)weights, d->scale + at, d->bias + at, y + at, vectors);
    else
        w->k->gemv16(x, d->k, (const int16_t *)(const void *)weights, d->scale + at, d->bias + at,
                     y + at, vectors);
}
