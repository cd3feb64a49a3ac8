/* Inverted residuals. */
#include <string.h>

#include "engine/fused/fused.h"

enum {
    ROWS_OUTERMOST_BYTES = 1000000, /* expanded tensors above this go row by row */
    ROWS_OUTERMOST_SIDE = 28,       /* but not on maps so small that halos cost more */
    MANY_PIXELS = 196,     /* from this many on, scaling weights is cheaper than scaling pixels */
    PROJECT_ROWS = 56,     /* pixels of a project task: whole tiles of 7 and of 4 */
    CHUNKS_OUTERMOST = 64, /* at most so many chunks go row by row */
};

void scarlet__fused_plan_block(scarlet__step *t)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    t->rows_outermost =
        t->side > ROWS_OUTERMOST_SIDE && hidden->count <= CHUNKS_OUTERMOST &&
        scarlet__square(t->side) * hidden->padded * sizeof(float) > ROWS_OUTERMOST_BYTES;
    /* Integers are scaled when they are made. */
    t->gates_weights = t->layer->squeeze && !t->weights->project.integers &&
                       scarlet__square(t->out_side) >= MANY_PIXELS;
}

/* ---- expand and depthwise ---- */

/* A chunk on its way down the map: rows below `ready` are in the ring. */
typedef struct {
    float *ring; /* k rows, then one of zeros */
    int ready;
} chunk_state;

static void begin_chunk(const scarlet__step *t, size_t width, float *ring, int first_row,
                        chunk_state *c)
{
    const size_t pixel = width * sizeof *ring, row = scarlet__step_width(t) * pixel;
    const size_t left = scarlet__step_left(t) * pixel;
    const size_t right = left + scarlet__step_floats(t, (size_t)t->side) * pixel;
    int top = first_row * t->layer->stride - t->padding;
    char *at = (char *)ring;
    for (int i = 0; i < t->layer->kernel; i++, at += row) { /* what is between them gets written */
        memset(at, 0, left);
        memset(at + right, 0, row - right);
    }
    memset(at, 0, row);
    *c = (chunk_state){ring, top < 0 ? 0 : top};
}

/* Output row y of one chunk: expands the input rows that are missing, then convolves. */
static void depthwise_row(const scarlet__worker *w, const scarlet__step *t, size_t chunk,
                          chunk_state *c, const scarlet__map *in, int y, float *out)
{
    const scarlet__layer *l = t->layer;
    const scarlet__fused_layer *f = t->weights;
    const int k = l->kernel, top = y * l->stride - t->padding;
    const size_t width = scarlet__chunk_width(&f->hidden, chunk);
    const size_t first = scarlet__chunk_offset(&f->hidden, chunk);
    const size_t row = scarlet__step_width(t) * width, side = (size_t)t->side;
    const float *rows[7];
    for (; c->ready < top + k && c->ready < t->side; c->ready++)
        scarlet__fused_expand(w, t, chunk, in, (size_t)c->ready * side, side,
                              c->ring + (size_t)(c->ready % k) * row +
                                  scarlet__step_left(t) * width);
    for (int i = 0; i < k; i++) {
        int r = top + i;
        rows[i] = c->ring + (size_t)(r < 0 || r >= t->side ? k : r % k) * row;
    }
    float *sum = NULL;
    if (l->squeeze) {
        sum = w->lane->sums + (size_t)y * f->hidden.padded + first;
        memset(sum, 0, width * sizeof *sum);
    }
    scarlet__fused_depthwise(
        w, t, first,
        &(scarlet__depthwise){.rows = rows, .channels = width, .out = out, .sum = sum});
}

/* Rows outermost: a band of rows goes through the whole block, or as far as squeeze-excite. */
static void band(const scarlet__worker *w, const scarlet__step *t, int y, int end,
                 const scarlet__map *in, const scarlet__map *out)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    const size_t ring = (size_t)(t->layer->kernel + 1) * scarlet__step_width(t);
    const size_t side = (size_t)t->out_side;
    chunk_state c[CHUNKS_OUTERMOST];
    float *row = w->s->ring + ring * hidden->padded; /* after the rings */
    for (size_t i = 0; i < hidden->count; i++)
        begin_chunk(t, scarlet__chunk_width(hidden, i),
                    w->s->ring + ring * scarlet__chunk_offset(hidden, i), y, &c[i]);
    for (; y < end; y++) {
        size_t first = (size_t)y * side;
        for (size_t i = 0; i < hidden->count; i++) {
            size_t offset = scarlet__chunk_offset(hidden, i);
            float *to = t->layer->squeeze
                            ? w->lane->hidden + scarlet__step_floats(
                                                    t, scarlet__square(t->out_side) * offset +
                                                           first * scarlet__chunk_width(hidden, i))
                            : row + scarlet__step_floats(t, side * offset);
            depthwise_row(w, t, i, &c[i], in, y, to);
        }
        if (!t->layer->squeeze)
            scarlet__fused_project(w, t, in, &(scarlet__band){row, side, first}, out, first, side);
    }
}

static void expand_and_depthwise(const scarlet__worker *w, const scarlet__step *t,
                                 const scarlet__map *in, const scarlet__map *out)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    if (t->rows_outermost) {
        size_t bands = w->m->team->threads, side = (size_t)t->out_side;
        for (size_t i; scarlet__team_task(w->m, bands, &i);)
            band(w, t, (int)(side * i / bands), (int)(side * (i + 1) / bands), in, out);
        return;
    }
    for (size_t i; scarlet__team_task(w->m, hidden->count, &i);) {
        chunk_state c;
        size_t width = scarlet__chunk_width(hidden, i);
        size_t first = scarlet__square(t->out_side) * scarlet__chunk_offset(hidden, i);
        begin_chunk(t, width, w->s->ring, 0, &c);
        for (int y = 0; y < t->out_side; y++, first += (size_t)t->out_side * width)
            depthwise_row(w, t, i, &c, in, y, w->lane->hidden + scarlet__step_floats(t, first));
    }
}

/* ---- squeeze-excite ---- */

static void gate_weights(const scarlet__worker *w, const scarlet__step *t)
{
    const scarlet__packed_dense *d = &t->weights->project;
    const size_t blocks = w->m->team->threads;
    for (size_t i; scarlet__team_task(w->m, blocks, &i);) {
        size_t k = d->k * i / blocks, end = d->k * (i + 1) / blocks;
        for (size_t n = 0; n < d->out.count; n++) {
            size_t width = scarlet__chunk_width(&d->out, n);
            size_t first = scarlet__chunk_offset(&d->out, n) * d->k + k * width;
            w->k->scale_rows(d->weight + first, w->lane->gate + k, end - k, width,
                             w->lane->gated_weights + first);
        }
    }
}

static void gate_pixels(const scarlet__worker *w, const scarlet__step *t)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    for (size_t i; scarlet__team_task(w->m, hidden->count, &i);) {
        size_t offset = scarlet__chunk_offset(hidden, i), pixels = scarlet__square(t->out_side);
        w->k->scale(w->lane->hidden + pixels * offset, w->lane->gate + offset, pixels,
                    scarlet__chunk_width(hidden, i));
    }
}

static void squeeze_and_excite(const scarlet__worker *w, const scarlet__step *t)
{
    const scarlet__fused_layer *f = t->weights;
    const scarlet__chunks *squeezed = &f->squeeze.out, *gates = &f->excite.out;
    scarlet__lane *lane = w->lane;
    bool pooled = false;
    scarlet__fused_announce(w, &f->squeeze);
    for (size_t i; scarlet__team_task(w->m, squeezed->count, &i);) {
        if (!pooled) /* each thread computes it: cheaper than a phase */
            w->k->mean(lane->sums, (size_t)t->out_side, f->hidden.padded,
                       1.0f / (float)scarlet__square(t->out_side), w->s->pooled);
        pooled = true;
        scarlet__fused_panel(w, &f->squeeze, i, w->s->pooled, lane->squeezed);
        w->k->relu(lane->squeezed + scarlet__chunk_offset(squeezed, i),
                   scarlet__chunk_width(squeezed, i));
    }
    for (size_t i; scarlet__team_task(w->m, gates->count, &i);) {
        scarlet__fused_panel(w, &f->excite, i, lane->squeezed, lane->gate);
        w->k->hard_sigmoid(lane->gate + scarlet__chunk_offset(gates, i),
                           scarlet__chunk_width(gates, i));
    }
    if (t->gates_weights)
        gate_weights(w, t);
    else if (!f->project.integers)
        gate_pixels(w, t);
}

/* ---- layers ---- */

static void project_block(const scarlet__worker *w, const scarlet__step *t, const scarlet__map *in,
                          const scarlet__map *out)
{
    const scarlet__packed_dense *d = &t->weights->project;
    const size_t pixels = scarlet__square(t->out_side);
    const scarlet__band all = {w->lane->hidden, pixels, 0};
    scarlet__fused_announce(w, d);
    if (d->integers || pixels >= MANY_PIXELS) { /* share out pixels, else output channels */
        const size_t most = d->integers ? SCARLET__QUANTIZED_PIXELS : PROJECT_ROWS;
        for (size_t i; scarlet__team_task(w->m, (pixels + most - 1) / most, &i);) {
            size_t first = i * most, left = pixels - first;
            scarlet__fused_project(w, t, in, &all, out, first, left < most ? left : most);
        }
        return;
    }
    const size_t segments = scarlet__fused_segments(w, t, &all, 0);
    for (size_t n; scarlet__team_task(w->m, d->out.count, &n);) {
        const size_t offset = scarlet__chunk_offset(&d->out, n);
        scarlet__fused_dense(
            w, d, n,
            &(scarlet__gemm){.segment = w->s->segment,
                             .segments = segments,
                             .weights = d->weight,
                             .residual = t->layer->residual ? in->values + offset : NULL,
                             .out = out->values + offset,
                             .out_stride = d->out.padded,
                             .rows = pixels});
    }
}

/* Phases: one; with squeeze-excite two more and one for the gates; the project unless it was done
 * row by row. */
void scarlet__fused_block(const scarlet__worker *w, const scarlet__step *t, const scarlet__map *in,
                          const scarlet__map *out)
{
    scarlet__fused_announce(w, &t->weights->expand);
    expand_and_depthwise(w, t, in, out);
    if (t->layer->squeeze)
        squeeze_and_excite(w, t);
    if (t->layer->squeeze || !t->rows_outermost)
        project_block(w, t, in, out);
}
