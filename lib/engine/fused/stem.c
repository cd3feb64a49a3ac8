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
    return (stem_sizes){scarlet__round_up(((size_t)x->e.side + 1) * 3, SCARLET__VECTOR_MAX),
                        scarlet__step_width(t) * channels, (size_t)t->out_side * channels};
}

size_t scarlet__fused_stem_floats(const scarlet__fused *x)
{
    stem_sizes s = stem_room(x);
    return (STEM_ROWS + 1) * (s.picture_row + s.stem_row) + s.depthwise_row;
}

/* Row r of the stem into `out`, chunk by chunk: [chunk][padded row][width]. */
static void stem_row(const scarlet__worker *w, int r, float *picture, size_t picture_size,
                     int *ready, float *out)
{
    const scarlet__fused *x = w->j->x;
    const scarlet__step *stem = &x->step[0], *next = &x->step[1];
    const scarlet__packed_dense *d = &stem->weights->project;
    scarlet__segment segment[STEM_ROWS];
    for (int i = 0; i < STEM_ROWS; i++) {
        int y = 2 * r - 1 + i; /* never past the end: the side is even */
        float *row = picture + (size_t)(y < 0 ? STEM_ROWS : y % STEM_ROWS) * picture_size;
        if (y >= *ready) {
            picture_row(w->j, y, row + 3); /* behind one pixel of padding */
            *ready = y + 1;
        }
        segment[i] = (scarlet__segment){row, 6, 9};
    }
    for (size_t n = 0; n < d->out.count; n++) {
        size_t width = scarlet__chunk_width(&d->out, n);
        float *to = out + scarlet__step_width(next) * scarlet__chunk_offset(&d->out, n) + width;
        scarlet__fused_dense(w, d, d->weight, n, segment, STEM_ROWS, (size_t)stem->out_side, to,
                             width, NULL, SCARLET__RELU6);
        for (int i = 0; w->j->tracer && i < stem->out_side; i++)
            memcpy(w->lane->hidden +
                       ((size_t)r * (size_t)stem->out_side + (size_t)i) * d->out.padded +
                       scarlet__chunk_offset(&d->out, n),
                   to + (size_t)i * width, width * sizeof *to);
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
    int stem_ready = y > 0 ? y - 1 : 0, picture_ready = stem_ready > 0 ? 2 * stem_ready - 1 : 0;
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
            w->k->depthwise[0][0](rows, width, f->depthwise + first * 9, f->depthwise_bias + first,
                                  row + side * first, width, side, SCARLET__RELU6, NULL);
        }
        scarlet__fused_project(w, t, row, side, 0, side, NULL, out, (size_t)y * side);
    }
}

void scarlet__fused_stem(const scarlet__worker *w, const scarlet__map *out)
{
    const scarlet__step *t = &w->j->x->step[1];
    size_t bands = w->m->team->threads, side = (size_t)t->out_side;
    scarlet__fused_announce(w, w->j->x->step[0].weights->project.bias);
    for (size_t i; scarlet__team_task(w->m, bands, &i);)
        stem_band(w, (int)(side * i / bands), (int)(side * (i + 1) / bands), out);
}
