/* The stem (3x3 convolution) and the separable layer (depthwise, 1x1), row by row. */
#include <string.h>

#include "engine/fused/fused.h"

/* Row y of the picture as R, G, B, R, ... */
static void picture_row(const scarlet__job *j, int y, float *out)
{
    const size_t side = (size_t)j->x->e.side, row = (size_t)y * side;
    if (j->x->e.nhwc) {
        memcpy(out, j->picture + row * 3, side * 3 * sizeof *out);
        return;
    }
    const float *r = j->picture + row, *g = r + side * side, *b = g + side * side;
    for (size_t i = 0; i < side; i++) {
        out[3 * i] = r[i];
        out[3 * i + 1] = g[i];
        out[3 * i + 2] = b[i];
    }
}

enum { STEM_ROWS = 3 }; /* of the picture for a row of the stem; of the stem for a depthwise row */

/* Sizes in floats of what a thread needs for the stem, in this order. */
typedef struct {
    size_t picture_row, stem_row, depthwise_row;
} stem_sizes;

static stem_sizes stem_room(const scarlet__fused *x)
{
    const scarlet__step *t = &x->step[1];
    size_t channels = scarlet__fused_padded(x, t->layer->in);
    /* At most one pixel of padding on each side. */
    return (stem_sizes){scarlet__round_up(((size_t)x->e.side + 2) * 3, SCARLET__VECTOR_MAX),
                        scarlet__step_width(t) * channels, (size_t)t->out_side * channels};
}

size_t scarlet__fused_stem_floats(const scarlet__fused *x)
{
    stem_sizes s = stem_room(x);
    return (STEM_ROWS + 1) * (s.picture_row + s.stem_row) + s.depthwise_row;
}

/* As picture_row, in bfloat16. */
static void narrow_row(const scarlet__worker *w, int y, uint16_t *out)
{
    const scarlet__job *j = w->j;
    const size_t side = (size_t)j->x->e.side, row = (size_t)y * side;
    if (j->x->e.nhwc)
        w->k->bf16.narrow(j->picture + row * 3, side * 3, out);
    else
        w->k->bf16.narrow_planes(j->picture + row, side * side, side, out);
}

/* Pixels of a row of the stem for a tracer. */
static void trace_row(const scarlet__worker *w, const float *from, size_t width, size_t pixels,
                      float *out, size_t out_stride)
{
    const uint16_t *halves = (const void *)from;
    const bool pairs = w->j->x->step[0].weights->pairs;
    for (size_t i = 0; i < pixels; i++, out += out_stride) {
        if (!pairs)
            memcpy(out, from + i * width, width * sizeof *out);
        for (size_t c = 0; pairs && c < width; c++) {
            uint32_t bits = (uint32_t)halves[(i / 2 * width + c) * 2 + i % 2] << 16;
            memcpy(out + c, &bits, sizeof bits);
        }
    }
}

/* Row r of the stem into `out`, chunk by chunk: [chunk][padded row][width]. */
static void stem_row(const scarlet__worker *w, int r, float *picture, size_t picture_size,
                     int *ready, float *out)
{
    const scarlet__fused *x = w->j->x;
    const scarlet__step *stem = &x->step[0], *next = &x->step[1];
    const scarlet__packed_dense *d = &stem->weights->project;
    const size_t left = (size_t)stem->padding * 3;
    scarlet__segment segment[STEM_ROWS];
    for (int i = 0; i < STEM_ROWS; i++) {
        const int y = 2 * r - stem->padding + i;
        const bool padding = y < 0 || y >= x->e.side;
        float *row = picture + (size_t)(padding ? STEM_ROWS : y % STEM_ROWS) * picture_size;
        if (!padding && y >= *ready) {
            if (d->pairs)
                narrow_row(w, y, (uint16_t *)(void *)row + left);
            else
                picture_row(w->j, y, row + left);
            *ready = y + 1;
        }
        segment[i] = (scarlet__segment){row, 6, d->pairs ? 10 : 9};
    }
    for (size_t n = 0; n < d->out.count; n++) {
        size_t width = scarlet__chunk_width(&d->out, n);
        const size_t offset = scarlet__chunk_offset(&d->out, n), side = (size_t)stem->out_side;
        float *to = out + scarlet__step_width(next) * offset + scarlet__step_left(next) * width;
        if (d->pairs)
            scarlet__fused_dense_pairs(w, d, n,
                                       &(scarlet__bf16_gemm){.segment = segment,
                                                             .segments = STEM_ROWS,
                                                             .out = to,
                                                             .out_stride = width,
                                                             .rows = side,
                                                             .pairs = true});
        else
            scarlet__fused_dense(w, d, n,
                                 &(scarlet__gemm){.segment = segment,
                                                  .segments = STEM_ROWS,
                                                  .weights = d->weight,
                                                  .out = to,
                                                  .out_stride = width,
                                                  .rows = side,
                                                  .activation = stem->weights->activation});
        if (w->j->tracer)
            trace_row(w, to, width, side,
                      w->lane->hidden + (size_t)r * side * d->out.padded + offset, d->out.padded);
    }
}

static void stem_band(const scarlet__worker *w, int y, int end, const scarlet__map *out)
{
    const scarlet__fused *x = w->j->x;
    const scarlet__step *t = &x->step[1];
    const scarlet__fused_layer *f = t->weights;
    const stem_sizes size = stem_room(x);
    float *picture = w->s->ring, *ring = picture + (STEM_ROWS + 1) * size.picture_row;
    float *row = ring + (STEM_ROWS + 1) * size.stem_row;
    int stem_ready = y > 0 ? y - 1 : 0;
    int picture_ready = stem_ready > 0 ? 2 * stem_ready - x->step[0].padding : 0;
    const size_t side = (size_t)t->out_side;
    memset(picture, 0, (STEM_ROWS + 1) * (size.picture_row + size.stem_row) * sizeof *picture);
    for (; y < end; y++) {
        for (; stem_ready <= y + 1 && stem_ready < t->side; stem_ready++)
            stem_row(w, stem_ready, picture, size.picture_row, &picture_ready,
                     ring + (size_t)(stem_ready % STEM_ROWS) * size.stem_row);
        for (size_t i = 0; i < f->hidden.count; i++) {
            size_t width = scarlet__chunk_width(&f->hidden, i);
            size_t first = scarlet__chunk_offset(&f->hidden, i);
            const float *rows[STEM_ROWS];
            for (int k = 0; k < STEM_ROWS; k++) {
                int r = y - 1 + k;
                size_t slot = (size_t)(r < 0 || r >= t->side ? STEM_ROWS : r % STEM_ROWS);
                rows[k] = ring + slot * size.stem_row + scarlet__step_width(t) * first;
            }
            scarlet__fused_depthwise(
                w, t, first,
                &(scarlet__depthwise){.rows = rows,
                                      .channels = width,
                                      .out = row + scarlet__step_floats(t, side * first)});
        }
        const size_t first = (size_t)y * side;
        scarlet__fused_project(w, t, NULL, &(scarlet__band){row, side, first}, out, first, side);
    }
}

void scarlet__fused_stem(const scarlet__worker *w, const scarlet__map *out)
{
    const scarlet__step *t = &w->j->x->step[1];
    size_t bands = w->m->team->threads, side = (size_t)t->out_side;
    scarlet__fused_announce(w, &w->j->x->step[0].weights->project);
    for (size_t i; scarlet__team_task(w->m, bands, &i);)
        stem_band(w, (int)(side * i / bands), (int)(side * (i + 1) / bands), out);
}
