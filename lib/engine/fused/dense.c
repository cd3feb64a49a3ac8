/* Products: dense layers over pixels, and over one vector. */
#include "engine/fused/fused.h"

enum { PREFETCH_BYTES = 1 << 20 }; /* how far ahead weights are fetched: a second-level cache */

void scarlet__fused_dense(const scarlet__worker *w, const scarlet__packed_dense *d,
                          const float *weights, size_t n, const scarlet__segment *segment,
                          size_t segments, size_t rows, float *out, size_t out_stride,
                          const float *residual, scarlet__activation activation)
{
    const size_t first = scarlet__chunk_offset(&d->out, n);
    const scarlet__gemm g = {
        .segment = segment,
        .segments = segments,
        .weights = weights + first * d->k,
        .bias = d->bias + first,
        .residual = residual,
        .out = out,
        .out_stride = out_stride,
        .rows = rows,
        .vectors = (int)scarlet__chunk_vectors(&d->out, n),
        .activation = activation,
        .prefetch = &w->s->prefetch,
    };
    w->k->gemm(&g);
}

void scarlet__fused_expand(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                           const scarlet__map *in, int channels, size_t first, size_t rows,
                           float *out, scarlet__activation activation)
{
    if (d->integers) {
        scarlet__quantized_expand(w, d, n, in, channels, first, rows, out, activation);
        return;
    }
    const size_t stride = scarlet__fused_padded(w->j->x, channels);
    const scarlet__segment segment = {in->values + first * stride, stride, (size_t)channels};
    scarlet__fused_dense(w, d, d->weight, n, &segment, 1, rows, out,
                         scarlet__chunk_width(&d->out, n), NULL, activation);
}

void scarlet__fused_panel(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                          const float *x, float *y)
{
    if (d->integers) {
        scarlet__quantized_panel(w, d, n, x, y);
        return;
    }
    size_t first = scarlet__chunk_offset(&d->out, n);
    w->k->gemv(x, d->k, d->weight + first * d->k, d->bias + first, y + first,
               (int)scarlet__chunk_vectors(&d->out, n));
}

void scarlet__fused_announce(const scarlet__worker *w, const float *at)
{
    const scarlet__fused *x = w->j->x;
    const char *end = (const char *)x->weights->memory + x->weights->bytes;
    scarlet__prefetch *p = &w->s->prefetch;
    const char *here = (const char *)at;
    if (p->at < here || p->at > here + PREFETCH_BYTES)
        p->at = here;
    p->end = end - here > PREFETCH_BYTES ? here + PREFETCH_BYTES : end;
}

void scarlet__fused_dense_pairs(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                                const scarlet__segment *segment, size_t segments, size_t rows,
                                float *out, size_t out_stride, bool paired)
{
    const size_t at = scarlet__chunk_offset(&d->out, n);
    const scarlet__bf16_gemm g = {
        .segment = segment,
        .segments = segments,
        .weights = d->weight + d->k / 2 * at,
        .bias = d->bias + at,
        .out = out,
        .out_stride = out_stride,
        .rows = rows,
        .vectors = (int)scarlet__chunk_vectors(&d->out, n),
        .pairs = paired,
    };
    w->k->bf16.gemm(&g);
}

void scarlet__fused_depthwise(const scarlet__worker *w, const scarlet__step *t, size_t first,
                              size_t width, const float *const *rows, float *out,
                              scarlet__activation activation, float *sum)
{
    const scarlet__fused_layer *f = t->weights;
    const size_t k = (size_t)t->layer->kernel, side = (size_t)t->out_side;
    const int size = t->layer->kernel / 2 - 1, stride = t->layer->stride - 1;
    const size_t lanes = f->pairs ? scarlet__bf16_depthwise_lanes(k) : k * k;
    const scarlet__depthwise d = {
        .rows = rows,
        .channels = width,
        .weights = f->depthwise + first * lanes,
        .bias = f->depthwise_bias + first,
        .out = out,
        .out_stride = width,
        .width = side,
        .activation = activation,
        .sum = sum,
    };
    (f->pairs ? w->k->bf16.depthwise : w->k->depthwise)[size][stride](&d);
}

size_t scarlet__fused_segments(const scarlet__worker *w, const scarlet__step *t,
                               const float *hidden, size_t pixels, size_t first)
{
    const scarlet__chunks *c = &t->weights->hidden;
    for (size_t i = 0; i < c->count; i++) {
        size_t width = scarlet__chunk_width(c, i);
        w->s->segment[i] = (scarlet__segment){
            hidden + scarlet__step_floats(t, pixels * scarlet__chunk_offset(c, i) + first * width),
            width, width};
    }
    return c->count;
}

void scarlet__fused_project(const scarlet__worker *w, const scarlet__step *t, const float *hidden,
                            size_t pixels, size_t hidden_first, size_t rows, const scarlet__map *in,
                            const scarlet__map *out, size_t first)
{
    const scarlet__packed_dense *d = &t->weights->project;
    if (d->integers) {
        scarlet__quantized_project(w, t, hidden, pixels, hidden_first, rows, in, out, first);
        return;
    }
    const bool gated = t->layer->squeeze && scarlet__fused_gates_weights(t);
    const size_t segments = scarlet__fused_segments(w, t, hidden, pixels, hidden_first);
    for (size_t n = 0; n < d->out.count; n++) {
        size_t at = first * d->out.padded + scarlet__chunk_offset(&d->out, n);
        if (d->pairs) {
            scarlet__fused_dense_pairs(w, d, n, w->s->segment, segments, rows, out->values + at,
                                       d->out.padded, false);
            continue;
        }
        scarlet__fused_dense(w, d, gated ? w->lane->gated_weights : d->weight, n, w->s->segment,
                             segments, rows, out->values + at, d->out.padded,
                             in ? in->values + at : NULL, SCARLET__LINEAR);
    }
    scarlet__quantize_map(t, out, d->out.padded, first, rows);
}
