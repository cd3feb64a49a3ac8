/*
 * One passage of one micro-batch through units: what they read, what they add to, and memory that
 * each uses and leaves to the next. A pass belongs to one thread at a time.
 */
#ifndef SCARLET_NAS_UNITS_PASS_H
#define SCARLET_NAS_UNITS_PASS_H

#include <stdbool.h>

#include "nas/units/carver.h"
#include "nas/units/kernels/kernels.h"

enum {
    SCARLET__BLOCK = 96, /* pixels that a dense stage reads at a time, in the first-level cache */
    SCARLET__RUN = 8 * SCARLET__BLOCK, /* pixels that are summed in float32; beyond, in double */
    SCARLET__GROUP_MAX = 3,            /* planes that are taken through a unit together */
    SCARLET__OUT_PLANES = 256 /* most planes of a projection: the most channels of a space */
};

typedef struct scarlet__pass_scratch {
    float *block_in, *block_gradient;   /* [GROUP_MAX][BLOCK][16], and the same */
    float *padded_in, *padded_gradient; /* one plane of one picture */
    float *transposed;                  /* weights of a dense stage */
    float *wide;                        /* gradient after the depthwise stage */
    float *group;                       /* gradient before it, planes of one group */
    float *narrow;                      /* gradient of the projection */
} scarlet__pass_scratch;

/* Floats of each, the largest of several units'. */
typedef struct scarlet__scratch_sizes {
    size_t padded_in, padded_gradient, transposed, wide, group, narrow;
} scarlet__scratch_sizes;

scarlet__pass_scratch scarlet__scratch_carve(scarlet__carver *arena,
                                             const scarlet__scratch_sizes *sizes);

typedef struct scarlet__pass {
    const scarlet__training_kernels *kernels;
    int pictures;
    const float *parameters; /* what units' offsets point into, and so do gradients */
    const float *running;    /* means and variances; what `statistics` mirrors */
    float *gradients;        /* added to */
    float *statistics;       /* means and unbiased variances that batch norm used */
    bool running_only;       /* those are the running ones, not the micro-batch's */
    scarlet__pass_scratch scratch;
} scarlet__pass;

/* Planes of 16 channels. */
static inline int scarlet__planes(int channels)
{
    return (channels + SCARLET__LANES - 1) / SCARLET__LANES;
}
/* Floats from a plane to the next: an odd number of cache lines, so that the planes of a pixel do
 * not compete for one set of a cache. */
static inline size_t scarlet__plane(size_t pixels)
{
    return (pixels | 1) * SCARLET__LANES;
}
/* Planes of `pixels` pixels that are taken through a unit together: what is made of them stays in
 * the second-level cache, unless not even one does. */
static inline int scarlet__group_planes(size_t pixels)
{
    enum { BUDGET = 640 * 1024 };
    const size_t planes = BUDGET / (pixels * SCARLET__LANES * sizeof(float));
    return planes < 1 || planes > SCARLET__GROUP_MAX ? SCARLET__GROUP_MAX : (int)planes;
}
static inline void scarlet__raise(size_t *size, size_t wanted)
{
    *size = *size < wanted ? wanted : *size;
}

extern const float scarlet__ones[SCARLET__LANES], scarlet__zeros[SCARLET__LANES];

/* sum[i] += part[i] for [planes][2][16]; then part[i] = 0 */
void scarlet__flush(double *sum, float *part, int planes);

#endif
