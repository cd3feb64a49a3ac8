/* Products: dense layers over pixels and over one vector, depthwise rows. */
#include "engine/fused/fused.h"

void scarlet__fused_dense(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                          scarlet__gemm *g)
{
    const size_t at = scarlet__chunk_offset(&d->out, n);
    g->weights += d->k * at;
    g->bias = d->bias + at;
    g->vectors = (int)scarlet__chunk_vectors(&d->out, n);
    g->prefetch = &w->s->prefetch;
    w->k->gemm(g);
}

void scarlet__fused_dense_pairs(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                                scarlet__bf16_gemm *g)
{
    const size_t at = scarlet__chunk_offset(&d->out, n);
    g->weights = d->weight + d->k / 2 * at;
    g->bias = d->bias + at;
    g->vectors = (int)scarlet__chunk_vectors(&d->out, n);
    w->k->bf16.gemm(g);
}

void scarlet__fused_expand(const scarlet__worker *w, const scarlet__step *t, size_t n,
                           const scarlet__map *in, size_t first, size_t rows, float *out)
{
    const scarlet__packed_dense *d = t->entry;
    if (d->integers) {
        scarlet__quantized_expand(w, t, n, in, first, rows, out);
        return;
    }
    const size_t channels = (size_t)t->layer->in,
                 stride = scarlet__fused_padded(w->j->x, t->layer->in);
    const scarlet__segment segment = {in->values + first * stride, stride, channels};
    scarlet__fused_dense(w, d, n,
                         &(scarlet__gemm){.segment = &segment,
                                          .segments = 1,
                                          .weights = d->weight,
                                          .out = out,
                                          .out_stride = scarlet__chunk_width(&d->out, n),
                                          .rows = rows,
                                          .activation = t->weights->activation});
}

void scarlet__fused_depthwise(const scarlet__worker *w, const scarlet__step *t, size_t first,
                              scarlet__depthwise *d)
{
    const scarlet__fused_layer *f = t->weights;
    const size_t k = (size_t)t->layer->kernel;
    const size_t lanes = f->pairs ? scarlet__bf16_depthwise_lanes(k) : k * k;
    d->weights = f->depthwise + first * lanes;
    d->bias = f->depthwise_bias + first;
    d->out_stride = d->channels;
    d->width = (size_t)t->out_side;
    d->activation = f->activation;
    if (f->pairs && t->padding < t->layer->kernel / 2)
        d->weights += scarlet__bf16_other_parity(k);
    (f->pairs ? w->k->bf16.depthwise : w->k->depthwise)[k / 2 - 1][t->layer->stride - 1](d);
}

void scarlet__fused_project(const scarlet__worker *w, const scarlet__step *t,
                            const scarlet__map *in, const scarlet__band *band,
                            const scarlet__map *out, size_t first, size_t rows)
{
    const scarlet__packed_dense *d = &t->weights->project;
    if (d->integers) {
        scarlet__quantized_project(w, t, in, band, out, first, rows);
        return;
    }
    const size_t segments = scarlet__fused_segments(w, t, band, first);
    for (size_t n = 0; n < d->out.count; n++) {
        const size_t at = first * d->out.padded + scarlet__chunk_offset(&d->out, n);
        if (d->pairs)
            scarlet__fused_dense_pairs(w, d, n,
                                       &(scarlet__bf16_gemm){.segment = w->s->segment,
                                                             .segments = segments,
                                                             .out = out->values + at,
                                                             .out_stride = d->out.padded,
                                                             .rows = rows});
        else
            scarlet__fused_dense(
                w, d, n,
                &(scarlet__gemm){.segment = w->s->segment,
                                 .segments = segments,
                                 .weights = t->gates_weights ? w->lane->gated_weights : d->weight,
                                 .residual = t->layer->residual ? in->values + at : NULL,
                                 .out = out->values + at,
                                 .out_stride = d->out.padded,
                                 .rows = rows});
    }
    scarlet__quantize_map(t, out, first, rows);
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
