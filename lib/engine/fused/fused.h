/*
 * The fused executor: a block never leaves the second-level cache.
 *
 * Narrow tensors (a block's input and output) are NHWC, channels padded to whole vectors. Expanded
 * tensors are cut into chunks of up to 3 vectors of channels, [chunk][pixel][width]. For each
 * chunk, rows are expanded into a ring of k padded rows and convolved as soon as they are there:
 *
 *   expand row (gemm, h-swish) -> ring -> depthwise row (h-swish, sums for squeeze-excite)
 *
 * Nothing depends on the number of threads: sums are kept a row apart and added in the order of
 * rows, every output of a gemm is one chain of additions. A team runs one picture together, or
 * each thread takes pictures of its own from a batch.
 *
 * With integers (int16, int8) a block is the same, but its input and the depthwise part's output
 * are quantised pixel by pixel as soon as all channels of a pixel are there:
 *
 *   map -> expand row (integers) -> ring -> depthwise row (float32, or bfloat16 for int8)
 *   a few pixels of all chunks: gate, quantise -> project (integers) -> map, quantise
 *
 *   weights.c   packed weights       packing.c   the same as integers
 *   dense.c     products             quantized.c the same of integers
 *   stem.c      first convolution and separable layer
 *   block.c     inverted residuals
 *   executor.c  creation, tail, classifier, pictures and batches
 */
#ifndef SCARLET_ENGINE_FUSED_FUSED_H
#define SCARLET_ENGINE_FUSED_FUSED_H

#include "engine/engine.h"
#include "engine/fused/team.h"
#include "engine/fused/weights.h"
#include "engine/geometry.h"

/* Pixels that a project of integers takes at once: they stay in the first-level cache. */
enum { SCARLET__QUANTIZED_PIXELS = 14 };

/* The shape of one layer, fixed at creation. */
typedef struct scarlet__step {
    const scarlet__layer *layer;
    const scarlet__fused_layer *weights;
    const scarlet__packed_dense *reader; /* what reads the step's output map; NULL: nothing does */
    int side, out_side;
    bool rows_outermost;
} scarlet__step;

/* A narrow tensor, [pixel][padded channels]. */
typedef struct scarlet__map {
    float *values;
    float *integers, *scale; /* the same quantised, bytes or words, and each pixel's scale */
} scarlet__map;

/* Activations of one picture. */
typedef struct scarlet__lane {
    scarlet__map map[2]; /* input and output of blocks, in turn */
    float *hidden;       /* after depthwise: [chunk][pixel][width]; the stem's output when traced */
    float *sums;         /* [row][channel], over the pixels of a row */
    float *squeezed, *gate, *gated_weights;
    float *features, *scores;
} scarlet__lane;

/* What a thread needs for itself. */
typedef struct scarlet__scratch {
    float *ring; /* of one chunk, or of all where rows are outermost; then the rows behind it */
    float *pooled;
    float *quantized, *quantized_scale; /* some pixels of a project's input, integers */
    scarlet__segment *segment;
    scarlet__prefetch prefetch;
} scarlet__scratch;

typedef struct scarlet__fused {
    scarlet__execution e;
    const scarlet__fused_weights *weights;
    int count;
    scarlet__step step[SCARLET__NETWORK_LAYERS_MAX];
    float *memory;
    size_t memory_size;
    scarlet__segment *segments;
    size_t segment_count; /* of a thread */
    scarlet__lane *lane;  /* one a thread */
    scarlet__scratch *scratch;
    scarlet__team *team; /* the whole one, then a team of one for each thread */
} scarlet__fused;

/* One picture on its way through a team. */
typedef struct scarlet__job {
    scarlet__fused *x;
    scarlet__lane *lane;
    const float *picture;
    float *out;
    size_t index; /* in the batch */
    const scarlet__tracer *tracer;
    unsigned first; /* number of the team's first thread: where its scratch is */
} scarlet__job;

/* A thread in a job: everything a task needs. */
typedef struct scarlet__worker {
    const scarlet__job *j;
    const scarlet__kernels *k;
    scarlet__lane *lane;
    scarlet__scratch *s;
    scarlet__member *m;
} scarlet__worker;

static inline size_t scarlet__fused_padded(const scarlet__fused *x, int channels)
{
    return scarlet__round_up((size_t)channels, (size_t)x->e.kernels->vector);
}

/* Pixels, or pairs of them, of a ring row; and those before the first pixel of the picture. */
static inline size_t scarlet__step_width(const scarlet__step *t)
{
    return t->weights->pairs ? scarlet__bf16_row((size_t)t->layer->kernel, (size_t)t->layer->stride,
                                                 (size_t)t->side, (size_t)t->out_side)
                             : scarlet__ring_width(t->layer, t->side, t->out_side);
}
static inline size_t scarlet__step_left(const scarlet__step *t)
{
    const size_t k = (size_t)t->layer->kernel;
    return t->weights->pairs ? scarlet__bf16_left(k) / 2 : k / 2;
}
/* Floats that hold `count` values, whole vectors, of what the depthwise part gives. */
static inline size_t scarlet__step_floats(const scarlet__step *t, size_t count)
{
    return t->weights->pairs ? count / 2 : count;
}

/* ---- dense.c ---- */

/* Output chunk n of a dense layer of floats, over `rows` pixels whose inputs the segments describe.
 */
void scarlet__fused_dense(const scarlet__worker *w, const scarlet__packed_dense *d,
                          const float *weights, size_t n, const scarlet__segment *segment,
                          size_t segments, size_t rows, float *out, size_t out_stride,
                          const float *residual, scarlet__activation activation);
/* Output chunk n of a dense layer over `rows` pixels of a map of `channels`, from pixel `first` on;
 * `out` as dense as the chunk is wide. */
void scarlet__fused_expand(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                           const scarlet__map *in, int channels, size_t first, size_t rows,
                           float *out, scarlet__activation activation);
/* The same of bfloat16, linear or, `paired`, with ReLU6 into pairs of rows. */
void scarlet__fused_dense_pairs(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                                const scarlet__segment *segment, size_t segments, size_t rows,
                                float *out, size_t out_stride, bool paired);
/* Channels of the step's depthwise part from `first` on, a chunk: one row of outputs. */
void scarlet__fused_depthwise(const scarlet__worker *w, const scarlet__step *t, size_t first,
                              size_t width, const float *const *rows, float *out,
                              scarlet__activation activation, float *sum);
/* Inputs of the step's project, pixels from `first` on; they begin at `hidden`, chunks are `pixels`
 * pixels apart. Into the worker's segments; returns their number. */
size_t scarlet__fused_segments(const scarlet__worker *w, const scarlet__step *t,
                               const float *hidden, size_t pixels, size_t first);
/* All output chunks of `rows` pixels, from pixel `hidden_first` of the input to pixel `first` of
 * `out`; `in`: what is added, or NULL. */
void scarlet__fused_project(const scarlet__worker *w, const scarlet__step *t, const float *hidden,
                            size_t pixels, size_t hidden_first, size_t rows, const scarlet__map *in,
                            const scarlet__map *out, size_t first);
/* Output chunk n of a matrix times a vector, into its place in y. */
void scarlet__fused_panel(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                          const float *x, float *y);
/* From here on, weights from `at` on are needed: fetches run ahead of them. */
void scarlet__fused_announce(const scarlet__worker *w, const float *at);

/* ---- quantized.c: the same for a dense layer of integers ---- */

void scarlet__quantized_expand(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                               const scarlet__map *in, int channels, size_t first, size_t rows,
                               float *out, scarlet__activation activation);
void scarlet__quantized_project(const scarlet__worker *w, const scarlet__step *t,
                                const float *hidden, size_t pixels, size_t hidden_first,
                                size_t rows, const scarlet__map *in, const scarlet__map *out,
                                size_t first);
void scarlet__quantized_panel(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                              const float *x, float *y);
/* Makes the integers of some pixels of a step's output, where its reader wants integers. */
void scarlet__quantize_map(const scarlet__step *t, const scarlet__map *map, size_t channels,
                           size_t first, size_t rows);

/* ---- stem.c, block.c: called by each thread of a team, with the same arguments ---- */

void scarlet__fused_stem(const scarlet__worker *w, const scarlet__map *out);
/* Floats of ring that the stem needs. */
size_t scarlet__fused_stem_floats(const scarlet__fused *x);
void scarlet__fused_block(const scarlet__worker *w, const scarlet__step *t, const scarlet__map *in,
                          const scarlet__map *out);
bool scarlet__fused_rows_outermost(const scarlet__step *t);
/* Whether squeeze-excite scales the project's weights: cheaper than pixels where there are many.
 * Integers are scaled when they are made. */
bool scarlet__fused_gates_weights(const scarlet__step *t);

#endif
