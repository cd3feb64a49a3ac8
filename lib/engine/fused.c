/*
 * The fused executor: a block never leaves the second-level cache.
 *
 * Narrow tensors (a block's input and output) are NHWC, channels padded to whole vectors. Expanded
 * tensors are cut into chunks of up to 3 vectors of channels, [chunk][pixel][width]. For each
 * chunk, rows are expanded into a ring of k padded rows and convolved as soon as they are there:
 *
 *   expand row (gemm, h-swish) -> ring -> depthwise row (h-swish, sums for squeeze-excite)
 *
 * Where the map is large and there is no squeeze-excite, rows are the outer loop and each row is
 * projected at once; elsewhere chunks are the outer loop and the project follows. Measured on
 * SCARLET-A, one Zen 4 core: 7.4 ms, where XNNPACK operators take 10.
 *
 * Nothing depends on the number of threads: sums are kept a row apart and added in the order of
 * rows, every output of a gemm is one chain of additions. A team runs one picture together, or
 * each thread takes pictures of its own from a batch.
 */
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "engine/buffers.h"
#include "engine/engine.h"
#include "engine/fused_weights.h"
#include "engine/pack.h"
#include "engine/team.h"

enum {
    ROWS_OUTERMOST_BYTES = 1000000, /* expanded tensors above this go row by row */
    ROWS_OUTERMOST_SIDE = 28,       /* but not on maps so small that halos cost more */
    GATE_WEIGHTS_PIXELS = 196,      /* from here on it is cheaper to scale weights than pixels */
    PROJECT_ROWS = 56,              /* pixels of a project task: whole tiles of 7 and of 4 */
    CHUNKS_OUTERMOST = 64,          /* at most so many chunks go row by row */
    PREFETCH_BYTES = 2 << 20        /* how far ahead weights are fetched */
};

/* The shape of one layer, fixed at creation. */
typedef struct {
    const scarlet__layer *layer;
    const scarlet__fused_layer *weights;
    int side, out_side;
    bool rows_outermost;
} step;

/* Activations of one picture. */
typedef struct {
    float *map[2]; /* input and output of blocks, in turn */
    float *hidden; /* after depthwise: [chunk][pixel][width]; the stem's output when traced */
    float *sums;   /* [row][channel], over the pixels of a row */
    float *squeezed, *gate, *gated_weights, *features;
} activations;

/* What a thread needs for itself. */
typedef struct {
    float *ring; /* of one chunk, or of all where rows are outermost; then the rows behind it */
    float *pooled;
    scarlet__segment *segment;
    scarlet__prefetch prefetch;
} scratch;

typedef struct {
    scarlet__execution e;
    const scarlet__fused_weights *weights;
    int count;
    step step[SCARLET__NETWORK_LAYERS_MAX];
    float *memory;
    size_t memory_size;
    scarlet__segment *segments;
    size_t segment_count; /* of a thread */
    activations *lane;    /* one a thread */
    scratch *scratch;
    scarlet__team *team; /* the whole one, then a team of one for each thread */
} executor;

/* One picture on its way through a team. */
typedef struct {
    executor *x;
    activations *lane;
    const float *picture;
    float *out;
    size_t index; /* in the batch */
    const scarlet__tracer *tracer;
    unsigned first; /* number of the team's first thread: where its scratch is */
} job;

/* A thread in a job: everything a task needs. */
typedef struct {
    const job *j;
    const scarlet__kernels *k;
    activations *lane;
    scratch *s;
    scarlet__member *m;
} worker;

static size_t square(int side)
{
    return (size_t)side * (size_t)side;
}

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t padded(const executor *x, int channels)
{
    return scarlet__round_up((size_t)channels, (size_t)x->e.kernels->vector);
}

/* Pixels of a ring row: padding, input, and what the last depthwise tile reads past its end. */
static size_t ring_width(const step *t)
{
    size_t tiles = scarlet__round_up((size_t)t->out_side, SCARLET__TILE);
    size_t read = (tiles - 1) * (size_t)t->layer->stride + (size_t)t->layer->kernel;
    return max_size(read, (size_t)t->side + (size_t)t->layer->kernel - 1);
}

/* ---- dense layers ---- */

/* Output chunk n of a dense layer, over `rows` pixels whose inputs the segments describe. */
static void dense(const worker *w, const scarlet__packed_dense *d, const float *weights, size_t n,
                  const scarlet__segment *segment, size_t segments, size_t rows, float *out,
                  size_t out_stride, const float *residual, scarlet__activation activation)
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

/* A matrix times a vector, its panels shared out among the team. */
static void vector_product(const worker *w, const scarlet__packed_dense *d, const float *x,
                           float *y, bool relu)
{
    for (size_t n; (n = scarlet__member_next(w->m)) < d->out.count;) {
        size_t first = scarlet__chunk_offset(&d->out, n);
        w->k->gemv(x, d->k, d->weight + first * d->k, d->bias + first, y + first,
                   (int)scarlet__chunk_vectors(&d->out, n));
        for (size_t i = first; relu && i < first + scarlet__chunk_width(&d->out, n); i++)
            y[i] = y[i] > 0 ? y[i] : 0;
    }
}

/* From here on, weights from `at` on are needed: fetches run ahead of them. */
static void announce(const worker *w, const float *at)
{
    const executor *x = w->j->x;
    const char *end = (const char *)x->weights->memory + x->weights->bytes;
    scarlet__prefetch *p = &w->s->prefetch;
    const char *here = (const char *)at;
    if (p->at < here || p->at > here + PREFETCH_BYTES)
        p->at = here;
    p->end = end - here > PREFETCH_BYTES ? here + PREFETCH_BYTES : end;
}

/* ---- expand and depthwise ---- */

/* A chunk on its way down the map: rows below `ready` are in the ring. */
typedef struct {
    float *ring; /* k rows, then one of zeros */
    int ready;
} chunk_state;

static void begin_chunk(const step *t, size_t width, float *ring, int first_row, chunk_state *c)
{
    int top = first_row * t->layer->stride - t->layer->kernel / 2;
    memset(ring, 0, (size_t)(t->layer->kernel + 1) * ring_width(t) * width * sizeof *ring);
    *c = (chunk_state){ring, top < 0 ? 0 : top};
}

/* Output row y of one chunk: expands the input rows that are missing, then convolves. */
static void depthwise_row(const worker *w, const step *t, size_t chunk, chunk_state *c,
                          const float *in, int y, float *out)
{
    const scarlet__layer *l = t->layer;
    const scarlet__fused_layer *f = t->weights;
    const int k = l->kernel, pad = k / 2, top = y * l->stride - pad;
    const size_t width = scarlet__chunk_width(&f->hidden, chunk);
    const size_t first = scarlet__chunk_offset(&f->hidden, chunk);
    const size_t row = ring_width(t) * width, in_stride = padded(w->j->x, l->in);
    const float *rows[7];
    for (; c->ready < top + k && c->ready < t->side; c->ready++) {
        const scarlet__segment segment = {in + (size_t)c->ready * (size_t)t->side * in_stride,
                                          in_stride, (size_t)l->in};
        dense(w, &f->expand, f->expand.weight, chunk, &segment, 1, (size_t)t->side,
              c->ring + (size_t)(c->ready % k) * row + (size_t)pad * width, width, NULL,
              SCARLET__HSWISH6);
    }
    for (int i = 0; i < k; i++) {
        int r = top + i;
        rows[i] = c->ring + (size_t)(r < 0 || r >= t->side ? k : r % k) * row;
    }
    float *sum = NULL;
    if (l->squeeze) {
        sum = w->lane->sums + (size_t)y * f->hidden.padded + first;
        memset(sum, 0, width * sizeof *sum);
    }
    w->k->depthwise[k / 2 - 1][l->stride - 1](rows, width, f->depthwise + first * (size_t)(k * k),
                                              f->depthwise_bias + first, out, width,
                                              (size_t)t->out_side, SCARLET__HSWISH6, sum);
}

/* Inputs of the project for pixels that begin at `hidden`, chunks `pixels` pixels apart. */
static size_t hidden_segments(const worker *w, const scarlet__chunks *c, const float *hidden,
                              size_t pixels)
{
    for (size_t i = 0; i < c->count; i++) {
        size_t width = scarlet__chunk_width(c, i);
        w->s->segment[i] =
            (scarlet__segment){hidden + pixels * scarlet__chunk_offset(c, i), width, width};
    }
    return c->count;
}

/* All output chunks of `rows` pixels from pixel `first` on. */
static void project(const worker *w, const step *t, const float *weights, const float *hidden,
                    size_t pixels, size_t hidden_first, size_t rows, const float *in, float *out)
{
    const scarlet__packed_dense *d = &t->weights->project;
    size_t segments = hidden_segments(w, &t->weights->hidden, hidden, pixels);
    for (size_t i = 0; i < segments; i++)
        w->s->segment[i].a += hidden_first * w->s->segment[i].stride;
    for (size_t n = 0; n < d->out.count; n++) {
        size_t offset = scarlet__chunk_offset(&d->out, n);
        dense(w, d, weights, n, w->s->segment, segments, rows, out + offset, d->out.padded,
              in ? in + offset : NULL, SCARLET__LINEAR);
    }
}

/* Rows outermost: a band of rows goes through the whole block, or as far as squeeze-excite. */
static void band(const worker *w, const step *t, int y, int end, const float *in, float *out)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    const size_t ring = (size_t)(t->layer->kernel + 1) * ring_width(t);
    const size_t side = (size_t)t->out_side, stride = t->weights->project.out.padded;
    chunk_state c[CHUNKS_OUTERMOST];
    float *row = w->s->ring + ring * hidden->padded; /* behind the rings */
    for (size_t i = 0; i < hidden->count; i++)
        begin_chunk(t, scarlet__chunk_width(hidden, i),
                    w->s->ring + ring * scarlet__chunk_offset(hidden, i), y, &c[i]);
    for (; y < end; y++) {
        size_t first = (size_t)y * side;
        for (size_t i = 0; i < hidden->count; i++) {
            size_t offset = scarlet__chunk_offset(hidden, i);
            float *to = t->layer->squeeze ? w->lane->hidden + square(t->out_side) * offset +
                                                first * scarlet__chunk_width(hidden, i)
                                          : row + side * offset;
            depthwise_row(w, t, i, &c[i], in, y, to);
        }
        if (!t->layer->squeeze)
            project(w, t, t->weights->project.weight, row, side, 0, side,
                    t->layer->residual ? in + first * stride : NULL, out + first * stride);
    }
}

static void expand_and_depthwise(const worker *w, const step *t, const float *in, float *out)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    if (t->rows_outermost) {
        size_t bands = w->m->team->threads, side = (size_t)t->out_side;
        for (size_t i; (i = scarlet__member_next(w->m)) < bands;)
            band(w, t, (int)(side * i / bands), (int)(side * (i + 1) / bands), in, out);
        return;
    }
    for (size_t i; (i = scarlet__member_next(w->m)) < hidden->count;) {
        chunk_state c;
        size_t width = scarlet__chunk_width(hidden, i);
        float *to = w->lane->hidden + square(t->out_side) * scarlet__chunk_offset(hidden, i);
        begin_chunk(t, width, w->s->ring, 0, &c);
        for (int y = 0; y < t->out_side; y++, to += (size_t)t->out_side * width)
            depthwise_row(w, t, i, &c, in, y, to);
    }
}

/* ---- squeeze-excite ---- */

static void gate_weights(const worker *w, const step *t)
{
    const scarlet__packed_dense *d = &t->weights->project;
    const size_t blocks = w->m->team->threads;
    for (size_t i; (i = scarlet__member_next(w->m)) < blocks;) {
        size_t k = d->k * i / blocks, end = d->k * (i + 1) / blocks;
        for (size_t n = 0; n < d->out.count; n++) {
            size_t width = scarlet__chunk_width(&d->out, n);
            size_t first = scarlet__chunk_offset(&d->out, n) * d->k + k * width;
            w->k->scale_rows(d->weight + first, w->lane->gate + k, end - k, width,
                             w->lane->gated_weights + first);
        }
    }
}

static void gate_pixels(const worker *w, const step *t)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    for (size_t i; (i = scarlet__member_next(w->m)) < hidden->count;) {
        size_t offset = scarlet__chunk_offset(hidden, i), pixels = square(t->out_side);
        w->k->scale(w->lane->hidden + pixels * offset, w->lane->gate + offset, pixels,
                    scarlet__chunk_width(hidden, i));
    }
}

static void squeeze_and_excite(const worker *w, const step *t)
{
    const scarlet__fused_layer *f = t->weights;
    const size_t channels = f->hidden.padded;
    activations *lane = w->lane;
    announce(w, f->squeeze.bias);
    /* Each thread adds the sums up for itself: cheaper than a meeting. */
    w->k->mean(lane->sums, (size_t)t->out_side, channels, 1.0f / (float)square(t->out_side),
               w->s->pooled);
    vector_product(w, &f->squeeze, w->s->pooled, lane->squeezed, true);
    scarlet__member_meet(w->m);
    vector_product(w, &f->excite, lane->squeezed, lane->gate, false);
    scarlet__member_meet(w->m);
    if (w->m->index == 0)
        w->k->hard_sigmoid(lane->gate, channels);
    scarlet__member_meet(w->m);
    if (square(t->out_side) >= GATE_WEIGHTS_PIXELS)
        gate_weights(w, t);
    else
        gate_pixels(w, t);
    scarlet__member_meet(w->m);
}

/* ---- layers ---- */

static void project_block(const worker *w, const step *t, const float *in, float *out)
{
    const scarlet__packed_dense *d = &t->weights->project;
    const size_t pixels = square(t->out_side), stride = d->out.padded;
    const float *residual = t->layer->residual ? in : NULL, *weights = d->weight;
    announce(w, d->bias);
    if (t->layer->squeeze && pixels >= GATE_WEIGHTS_PIXELS)
        weights = w->lane->gated_weights;
    if (pixels >= GATE_WEIGHTS_PIXELS) { /* many pixels: share them out */
        size_t tasks = (pixels + PROJECT_ROWS - 1) / PROJECT_ROWS;
        for (size_t i; (i = scarlet__member_next(w->m)) < tasks;) {
            size_t first = i * PROJECT_ROWS, left = pixels - first;
            project(w, t, weights, w->lane->hidden, pixels, first,
                    left < PROJECT_ROWS ? left : PROJECT_ROWS,
                    residual ? residual + first * stride : NULL, out + first * stride);
        }
        return;
    }
    size_t segments = hidden_segments(w, &t->weights->hidden, w->lane->hidden, pixels);
    for (size_t n; (n = scarlet__member_next(w->m)) < d->out.count;) {
        size_t offset = scarlet__chunk_offset(&d->out, n);
        dense(w, d, weights, n, w->s->segment, segments, pixels, out + offset, stride,
              residual ? residual + offset : NULL, SCARLET__LINEAR);
    }
}

static void block(const worker *w, const step *t, const float *in, float *out)
{
    announce(w, t->weights->expand.bias);
    expand_and_depthwise(w, t, in, out);
    scarlet__member_meet(w->m);
    if (t->layer->squeeze)
        squeeze_and_excite(w, t);
    if (t->layer->squeeze || !t->rows_outermost) {
        project_block(w, t, in, out);
        scarlet__member_meet(w->m);
    }
}

static void tail(const worker *w, const step *t, const float *in)
{
    const scarlet__packed_dense *d = &t->weights->project;
    const size_t stride = padded(w->j->x, t->layer->in), pixels = square(t->side);
    const scarlet__segment segment = {in, stride, (size_t)t->layer->in};
    announce(w, d->bias);
    for (size_t n; (n = scarlet__member_next(w->m)) < d->out.count;) {
        size_t width = scarlet__chunk_width(&d->out, n);
        dense(w, d, d->weight, n, &segment, 1, pixels, w->s->ring, width, NULL, SCARLET__RELU6);
        w->k->mean(w->s->ring, pixels, width, 1.0f / (float)pixels,
                   w->lane->features + scarlet__chunk_offset(&d->out, n));
    }
}

/* ---- stem: 3x3 convolution, depthwise and 1x1, row by row ---- */

/* Row y of the picture as R, G, B, R, ... */
static void picture_row(const job *j, int y, float *out)
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

static stem_sizes stem_room(const executor *x)
{
    const step *t = &x->step[1];
    size_t channels = padded(x, t->layer->in);
    return (stem_sizes){scarlet__round_up(((size_t)x->e.side + 1) * 3, SCARLET__VECTOR_MAX),
                        ring_width(t) * channels, (size_t)t->out_side * channels};
}

static size_t stem_total(const executor *x)
{
    stem_sizes s = stem_room(x);
    return (STEM_ROWS + 1) * (s.picture_row + s.stem_row) + s.depthwise_row;
}

/* Row r of the stem into `out`, chunk by chunk: [chunk][padded row][width]. */
static void stem_row(const worker *w, int r, float *picture, size_t picture_size, int *ready,
                     float *out)
{
    const executor *x = w->j->x;
    const step *stem = &x->step[0], *next = &x->step[1];
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
        float *to = out + ring_width(next) * scarlet__chunk_offset(&d->out, n) + width;
        dense(w, d, d->weight, n, segment, STEM_ROWS, (size_t)stem->out_side, to, width, NULL,
              SCARLET__RELU6);
        for (int i = 0; w->j->tracer && i < stem->out_side; i++)
            memcpy(w->lane->hidden +
                       ((size_t)r * (size_t)stem->out_side + (size_t)i) * d->out.padded +
                       scarlet__chunk_offset(&d->out, n),
                   to + (size_t)i * width, width * sizeof *to);
    }
}

static void stem_band(const worker *w, int y, int end, float *out)
{
    const executor *x = w->j->x;
    const step *t = &x->step[1];
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
                rows[k] = ring + slot * size.stem_row + ring_width(t) * first;
            }
            w->k->depthwise[0][0](rows, width, f->depthwise + first * 9, f->depthwise_bias + first,
                                  row + side * first, width, side, SCARLET__RELU6, NULL);
        }
        project(w, t, f->project.weight, row, side, 0, side, NULL,
                out + (size_t)y * side * f->project.out.padded);
    }
}

static void stem(const worker *w, float *out)
{
    const step *t = &w->j->x->step[1];
    size_t bands = w->m->team->threads, side = (size_t)t->out_side;
    announce(w, w->j->x->step[0].weights->project.bias);
    for (size_t i; (i = scarlet__member_next(w->m)) < bands;)
        stem_band(w, (int)(side * i / bands), (int)(side * (i + 1) / bands), out);
}

/* ---- one picture ---- */

static void trace(const worker *w, int layer, const float *values)
{
    const job *j = w->j;
    if (!j->tracer)
        return;
    const step *t = &j->x->step[layer];
    if (w->m->index == 0)
        j->tracer->layer(j->tracer->user, j->index, layer, t->out_side, t->layer->out, values,
                         padded(j->x, t->layer->out));
    scarlet__member_meet(w->m); /* nobody may overwrite the values before */
}

static void run_picture(void *context, scarlet__member *member)
{
    const job *j = context;
    executor *x = j->x;
    activations *lane = j->lane;
    const worker w = {j, x->e.kernels, lane, &x->scratch[j->first + member->index], member};
    int at = 0; /* which map holds the input */
    stem(&w, lane->map[0]);
    scarlet__member_meet(member);
    trace(&w, 0, lane->hidden);
    trace(&w, 1, lane->map[0]);
    for (int i = 2; i < x->count; i++) {
        const step *t = &x->step[i];
        const float *result = lane->map[at];
        switch (t->layer->kind) {
        case SCARLET_LAYER_BLOCK:
            block(&w, t, lane->map[at], lane->map[1 - at]);
            at = 1 - at;
            result = lane->map[at];
            break;
        case SCARLET_LAYER_TAIL:
            tail(&w, t, lane->map[at]);
            scarlet__member_meet(member);
            result = lane->features;
            break;
        case SCARLET_LAYER_CLASSIFIER:
            /* The maps are free now; a map holds at least a whole vector, not all the scores. */
            vector_product(&w, &t->weights->project, lane->features, lane->squeezed, false);
            scarlet__member_meet(member);
            result = lane->squeezed;
            break;
        default:
            break;
        }
        trace(&w, i, result);
    }
    if (member->index == 0)
        memcpy(j->out, x->e.features ? lane->features : lane->squeezed,
               (size_t)x->step[x->count - 1].layer->out * sizeof *j->out);
}

/* ---- a batch ---- */

typedef struct {
    executor *x;
    const float *pictures;
    float *out;
    size_t count; /* pictures that threads take for themselves */
} batch;

static job picture_job(executor *x, unsigned number, const float *pictures, size_t i, float *out)
{
    size_t length = (size_t)x->step[x->count - 1].layer->out;
    return (job){.x = x,
                 .lane = &x->lane[number],
                 .picture = pictures + i * square(x->e.side) * 3,
                 .out = out + i * length,
                 .index = i,
                 .first = number};
}

static void run_alone(void *context, scarlet__member *member)
{
    const batch *b = context;
    for (size_t i; (i = scarlet__member_next(member)) < b->count;) {
        job j = picture_job(b->x, member->index, b->pictures, i, b->out);
        scarlet__team_run(&b->x->team[1 + member->index], run_picture, &j);
    }
}

static scarlet_status run(void *data, const float *pictures, size_t count, float *out,
                          const scarlet__tracer *tracer, scarlet_error *err)
{
    executor *x = data;
    (void)err;
    /* As many pictures as fill all threads go one a thread, the rest one by one together. */
    batch b = {x, pictures, out, tracer ? 0 : count - count % x->e.threads};
    if (x->e.threads > 1 && b.count)
        scarlet__team_run(&x->team[0], run_alone, &b);
    else
        b.count = 0;
    for (size_t i = b.count; i < count; i++) {
        job j = picture_job(x, 0, pictures, i, out);
        j.tracer = tracer;
        scarlet__team_run(&x->team[0], run_picture, &j);
    }
    return SCARLET_OK;
}

/* ---- creation ---- */

static void executor_free(void *data)
{
    executor *x = data;
    if (!x)
        return;
    scarlet__pages_free(x->memory, x->memory_size);
    scarlet__pages_free(x->team, (x->e.threads + 1) * sizeof *x->team);
    scarlet__free(x->segments);
    scarlet__free(x->lane);
    scarlet__free(x->scratch);
    scarlet__free(x);
}

/* Floats that one thread's ring must hold for a layer. */
static size_t ring_floats(const executor *x, const step *t)
{
    const scarlet__chunks *hidden = &t->weights->hidden;
    const size_t ring = (size_t)(t->layer->kernel + 1) * ring_width(t);
    switch (t->layer->kind) {
    case SCARLET_LAYER_SEPARABLE:
        return stem_total(x);
    case SCARLET_LAYER_BLOCK:
        return t->rows_outermost ? (ring + (size_t)t->out_side) * hidden->padded
                                 : ring * scarlet__chunk_width(hidden, 0);
    case SCARLET_LAYER_TAIL:
        return square(t->side) * scarlet__chunk_width(&t->weights->project.out, 0);
    default:
        return 0;
    }
}

static scarlet_status allocate(executor *x, size_t *bytes, scarlet_error *err)
{
    const size_t threads = x->e.threads, per_lane = 8, per_thread = 2;
    size_t map = 0, hidden = 0, sums = 0, channels = 0, ring = 0, gated = 0;
    size_t scores = padded(x, x->e.network->classes);
    for (int i = 0; i < x->count; i++) {
        const step *t = &x->step[i];
        const scarlet__layer *l = t->layer;
        const scarlet__chunks *c = &t->weights->hidden;
        size_t out = square(t->out_side) * padded(x, l->out);
        ring = max_size(ring, ring_floats(x, t));
        x->segment_count = max_size(x->segment_count, c->count);
        if (l->kind == SCARLET_LAYER_STEM)
            hidden = max_size(hidden, out);
        if (l->kind == SCARLET_LAYER_SEPARABLE)
            map = max_size(map, out);
        if (l->kind != SCARLET_LAYER_BLOCK)
            continue;
        map = max_size(map, out);
        channels = max_size(channels, c->padded);
        hidden = max_size(hidden, square(t->out_side) * c->padded);
        if (!l->squeeze)
            continue;
        sums = max_size(sums, (size_t)t->out_side * c->padded);
        scores = max_size(scores, padded(x, l->squeeze));
        if (square(t->out_side) >= GATE_WEIGHTS_PIXELS)
            gated = max_size(gated, t->weights->project.k * t->weights->project.out.padded);
    }
    size_t features = padded(x, x->e.network->space.tail);
    scarlet__buffer *buffer = scarlet__calloc(threads * (per_lane + per_thread), sizeof *buffer);
    x->lane = scarlet__calloc(threads, sizeof *x->lane);
    x->scratch = scarlet__calloc(threads, sizeof *x->scratch);
    x->segments = scarlet__calloc(threads * x->segment_count, sizeof *x->segments);
    x->team = scarlet__pages_alloc((threads + 1) * sizeof *x->team);
    if (!buffer || !x->lane || !x->scratch || !x->segments || !x->team) {
        scarlet__free(buffer);
        return scarlet__fail_memory(err);
    }
    scarlet__buffer *b = buffer;
    for (size_t i = 0; i < threads; i++) {
        activations *l = &x->lane[i];
        scratch *s = &x->scratch[i];
        *b++ = (scarlet__buffer){&l->map[0], map};
        *b++ = (scarlet__buffer){&l->map[1], map};
        *b++ = (scarlet__buffer){&l->hidden, hidden};
        *b++ = (scarlet__buffer){&l->sums, sums};
        *b++ = (scarlet__buffer){&l->squeezed, scores};
        *b++ = (scarlet__buffer){&l->gate, channels};
        *b++ = (scarlet__buffer){&l->gated_weights, gated};
        *b++ = (scarlet__buffer){&l->features, features};
        *b++ = (scarlet__buffer){&s->ring, ring};
        *b++ = (scarlet__buffer){&s->pooled, channels};
        s->segment = x->segments + i * x->segment_count;
    }
    scarlet_status status =
        scarlet__buffers_take(buffer, (size_t)(b - buffer), &x->memory, &x->memory_size, err);
    scarlet__free(buffer);
    *bytes = sizeof *x + x->memory_size + (threads + 1) * sizeof *x->team;
    return status;
}

static scarlet_status create(const scarlet__execution *e, void **out, size_t *bytes,
                             scarlet_error *err)
{
    executor *x = scarlet__calloc(1, sizeof *x);
    *out = NULL;
    if (!x)
        return scarlet__fail_memory(err);
    x->e = *e;
    x->weights = e->weights;
    x->count = e->network->count - (e->features ? 1 : 0);
    int side = e->side;
    for (int i = 0; i < x->count; i++) {
        step *t = &x->step[i];
        t->layer = &e->network->layer[i];
        t->weights = &x->weights->layer[i];
        t->side = side;
        side = t->out_side = scarlet__layer_side(t->layer, side);
        const scarlet__chunks *hidden = &t->weights->hidden;
        t->rows_outermost =
            t->layer->kind == SCARLET_LAYER_BLOCK &&
            square(t->side) * hidden->padded * sizeof(float) > ROWS_OUTERMOST_BYTES &&
            t->side > ROWS_OUTERMOST_SIDE && hidden->count <= CHUNKS_OUTERMOST;
    }
    scarlet_status status = allocate(x, bytes, err);
    if (status != SCARLET_OK) {
        executor_free(x);
        return status;
    }
    scarlet__team_init(&x->team[0], e->threads, e->pool);
    for (unsigned i = 1; i <= e->threads; i++)
        scarlet__team_init(&x->team[i], 1, NULL);
    *out = x;
    return SCARLET_OK;
}

const scarlet__engine scarlet__engine_fused = {
    .id = SCARLET_ENGINE_FUSED,
    .weights_create = scarlet__fused_weights_create,
    .weights_free = scarlet__fused_weights_free,
    .create = create,
    .free = executor_free,
    .run = run,
};
