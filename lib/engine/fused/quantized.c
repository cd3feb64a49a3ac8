/* Products of integers, and what makes integers of activations. */
#include "engine/fused/fused.h"

enum { STEP = SCARLET__QUANTIZED_PIXELS };

/* Bytes that hold `count` integers of the layer's input. */
static size_t bytes(const scarlet__packed_dense *d, size_t count)
{
    return count * (4 / d->kernels->group);
}

/* Output chunk n. `g` has what is read and written and the activation. */
static void dense(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                  scarlet__integer_gemm *g)
{
    const size_t at = scarlet__chunk_offset(&d->out, n);
    g->groups = d->k / d->kernels->group;
    g->weights = d->integers + at * d->output_bytes;
    g->start = d->start + at;
    g->scale = d->scale + at;
    g->bias = d->bias + at;
    g->vectors = (int)scarlet__chunk_vectors(&d->out, n);
    g->prefetch = &w->s->prefetch;
    d->kernels->gemm(g);
}

void scarlet__quantized_expand(const scarlet__worker *w, const scarlet__step *t, size_t n,
                               const scarlet__map *in, size_t first, size_t rows, float *out)
{
    const scarlet__packed_dense *d = t->entry;
    const size_t stride = bytes(d, scarlet__fused_padded(w->j->x, t->layer->in));
    dense(w, d, n,
          &(scarlet__integer_gemm){.a = (const char *)in->integers + first * stride,
                                   .stride = stride,
                                   .a_scale = in->scale + first,
                                   .out = out,
                                   .out_stride = scarlet__chunk_width(&d->out, n),
                                   .rows = rows,
                                   .activation = t->weights->activation});
}

void scarlet__quantize_map(const scarlet__step *t, const scarlet__map *map, size_t first,
                           size_t rows)
{
    const scarlet__packed_dense *d = t->reader;
    const size_t at = first * t->weights->project.out.padded;
    if (d && d->integers)
        d->kernels->quantize(map->values + at, rows, t->weights->project.out.padded, d->levels,
                             (char *)map->integers + bytes(d, at), map->scale + first);
}

void scarlet__quantized_project(const scarlet__worker *w, const scarlet__step *t,
                                const scarlet__map *in, const scarlet__band *band,
                                const scarlet__map *out, size_t first, size_t rows)
{
    const scarlet__packed_dense *d = &t->weights->project;
    for (size_t end = first + rows; first < end; first += STEP) {
        const size_t count = end - first < STEP ? end - first : STEP;
        const scarlet__hidden hidden = {
            .segment = w->s->segment,
            .segments = scarlet__fused_segments(w, t, band, first),
            .gate = t->layer->squeeze ? w->lane->gate : NULL,
            .pixels = count,
            .levels = d->levels,
            .least = scarlet__least(t->weights->activation),
            .q = w->s->quantized,
            .scale = w->s->quantized_scale,
        };
        d->kernels->quantize_hidden(&hidden);
        for (size_t n = 0; n < d->out.count; n++) {
            const size_t at = first * d->out.padded + scarlet__chunk_offset(&d->out, n);
            dense(w, d, n,
                  &(scarlet__integer_gemm){.a = w->s->quantized,
                                           .stride = bytes(d, t->weights->hidden.padded),
                                           .a_scale = w->s->quantized_scale,
                                           .residual = t->layer->residual ? in->values + at : NULL,
                                           .out = out->values + at,
                                           .out_stride = d->out.padded,
                                           .rows = count});
        }
        scarlet__quantize_map(t, out, first, count);
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
