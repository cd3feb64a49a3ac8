/*
 * The fused executor: a block never leaves the second-level cache.
 *
 * Narrow tensors (a block's input and output) are NHWC, channels padded to whole vectors. Expanded
 * tensors are cut into chunks of up to 3 vectors of channels, [chunk][pixel][width]. For each
 * chunk, rows are expanded into a ring of k padded rows and convolved as soon as they are complete:
 *
 *   expand row (gemm, h-swish) -> ring -> depthwise row (h-swish, sums for squeeze-excite)
 *
 * Nothing depends on the number of threads: each row has sums of its own, added in the order of
 * rows, and every output of a gemm is one chain of additions. A team runs one picture together, or
 * each thread takes pictures of its own from a batch.
 *
 * With integers (int16, int8) a block is the same, but its input and the depthwise part's output
 * are quantised pixel by pixel as soon as all channels of a pixel are known:
 *
 *   map -> expand row (integers) -> ring -> depthwise row (float32, or bfloat16 for int8)
 *   a few pixels of all chunks: gate, quantise -> project (integers) -> map, quantise
 *
 * The files, each of which uses only those before it:
 *
 *   packing.c    weights as integers
 *   weights.c    all packed weights
 *   team.c       the threads of an inference
 *   step.c       what a layer reads, and the weights to be fetched ahead
 *   quantized.c  products of integers
 *   products.c   products
 *   stem.c       first convolution and separable layer
 *   block.c      inverted residuals
 *   executor.c   creation, tail, classifier, pictures and batches
 */
#ifndef SCARLET_ENGINE_FUSED_FUSED_H
#define SCARLET_ENGINE_FUSED_FUSED_H

#include "engine/buffers.h"
#include "engine/engine.h"
#include "engine/fused/team.h"
#include "engine/fused/weights.h"
#include "engine/geometry.h"

/* Pixels that a project of integers takes at once: they stay in the first-level cache. */
enum { SCARLET__QUANTIZED_PIXELS = 14 };

/* One layer, as creation has planned it. */
typedef struct scarlet__step {
    const scarlet__layer *layer;
    const scarlet__fused_layer *weights;
    /* What reads the step's input map: a block's expand, the tail's project; NULL: nothing does. */
    const scarlet__packed_dense *entry;
    const scarlet__packed_dense *reader; /* the entry that reads the step's output map, or NULL */
    int side, out_side;
    int padding;         /* pixels before the first row and column of the input */
    bool rows_outermost; /* a block goes row by row, through all of its chunks */
    bool gates_weights;  /* squeeze-excite scales the project's weights, not its input */
} scarlet__step;

/* A narrow tensor, [pixel][padded channels]. */
typedef struct scarlet__map {
    float *values;
    void *integers; /* the values quantised, bytes or words */
    float *scale;   /* of each pixel's integers */
} scarlet__map;

/* Output of a depthwise part: `pixels` pixels of each chunk in turn, from number `first` of the
 * map on. */
typedef struct scarlet__band {
    const float *values;
    size_t pixels, first;
} scarlet__band;

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
    float *ring; /* of one chunk, or of all where rows are outermost; then a band of one row */
    float *pooled;
    void *quantized; /* some pixels of a project's input, integers */
    float *quantized_scale;
    scarlet__segment *segment; /* one for each chunk of a depthwise part */
    scarlet__prefetch prefetch;
} scarlet__scratch;

typedef struct scarlet__fused {
    scarlet__execution e;
    const scarlet__fused_weights *weights;
    int count;
    scarlet__step step[SCARLET__NETWORK_LAYERS_MAX];
    scarlet__buffers buffers;
    scarlet__lane *lane; /* one a thread */
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
    const size_t padding = (size_t)t->padding;
    return t->weights->pairs ? scarlet__bf16_left(padding) / 2 : padding;
}
/* Floats that hold `count` values of the depthwise part's output, whole vectors. */
static inline size_t scarlet__step_floats(const scarlet__step *t, size_t count)
{
    return t->weights->pairs ? count / 2 : count;
}

/* ---- step.c ---- */

/* Points the worker's segments at the inputs of the step's project, from pixel `first` of the map
 * on; returns their number. */
size_t scarlet__fused_segments(const scarlet__worker *w, const scarlet__step *t,
                               const scarlet__band *band, size_t first);
/* From here on the layer's weights are needed, and those packed after them: fetches run ahead. */
void scarlet__fused_announce(const scarlet__worker *w, const scarlet__packed_dense *d);

/* ---- quantized.c: as products.c, for a dense layer of integers ---- */

void scarlet__quantized_expand(const scarlet__worker *w, const scarlet__step *t, size_t n,
                               const scarlet__map *in, size_t first, size_t rows, float *out);
void scarlet__quantized_project(const scarlet__worker *w, const scarlet__step *t,
                                const scarlet__map *in, const scarlet__band *band,
                                const scarlet__map *out, size_t first, size_t rows);
void scarlet__quantized_panel(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                              const float *x, float *y);
/* Makes the integers of some pixels of a step's output, if its reader wants integers. */
void scarlet__quantize_map(const scarlet__step *t, const scarlet__map *map, size_t first,
                           size_t rows);

/* ---- products.c ---- */

/* Output chunk n of a dense layer of floats. `g` has what is read and written, the activation and
 * the weights of all chunks; the rest is filled in here. */
void scarlet__fused_dense(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                          scarlet__gemm *g);
/* As scarlet__fused_dense, in bfloat16; the weights are the layer's own. */
void scarlet__fused_dense_pairs(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                                scarlet__bf16_gemm *g);
/* Output chunk n of the step's entry, for `rows` pixels of its input map from `first` on; `out` as
 * dense as the chunk is wide. */
void scarlet__fused_expand(const scarlet__worker *w, const scarlet__step *t, size_t n,
                           const scarlet__map *in, size_t first, size_t rows, float *out);
/* A row of the step's depthwise part: `d` has its rows, channels (a chunk, from channel `first`
 * on), output and sum; the rest is filled in here. */
void scarlet__fused_depthwise(const scarlet__worker *w, const scarlet__step *t, size_t first,
                              scarlet__depthwise *d);
/* All output chunks of the step's project, for `rows` pixels of the map from `first` on, which are
 * in the band. `in`: the step's input, added where the layer has a residual. */
void scarlet__fused_project(const scarlet__worker *w, const scarlet__step *t,
                            const scarlet__map *in, const scarlet__band *band,
                            const scarlet__map *out, size_t first, size_t rows);
/* Output chunk n of a matrix times a vector, into its place in y. */
void scarlet__fused_panel(const scarlet__worker *w, const scarlet__packed_dense *d, size_t n,
                          const float *x, float *y);

/* ---- stem.c, block.c: called by each thread of a team, with the same arguments ---- */

void scarlet__fused_stem(const scarlet__worker *w, const scarlet__map *out);
/* Floats of ring that the stem needs. */
size_t scarlet__fused_stem_floats(const scarlet__fused *x);

enum { SCARLET__BLOCK_PHASES = 5 }; /* of a team, at most */
void scarlet__fused_block(const scarlet__worker *w, const scarlet__step *t, const scarlet__map *in,
                          const scarlet__map *out);
/* Chooses how a block runs: rows_outermost and gates_weights. */
void scarlet__fused_plan_block(scarlet__step *t);

#endif
