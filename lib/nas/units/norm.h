/* Batch norm, plane by plane: from sums to factors. */
#ifndef SCARLET_NAS_UNITS_NORM_H
#define SCARLET_NAS_UNITS_NORM_H

#include "nas/units/pass.h"

typedef struct scarlet__norm {
    int channels;
    size_t gamma, beta;    /* offsets into the parameters */
    size_t mean, variance; /* and into the statistics */
    double epsilon;
    bool running; /* uses the running statistics, whatever the pass says */
} scarlet__norm;

/* What a pass keeps of it, per channel: y = scale * x + shift; mean and 1 / deviation. */
typedef struct scarlet__normed {
    float *scale, *shift, *mean, *inverse;
} scarlet__normed;

scarlet__normed scarlet__normed_carve(scarlet__carver *arena, int channels);

/* From sums [planes][2][16] of x and x * x over `count` values a channel. */
void scarlet__norm_forward(const scarlet__pass *pass, const scarlet__norm *norm,
                           const scarlet__normed *kept, int first, int planes, size_t count,
                           const double *sums);

/*
 * From sums of y's gradient g and of g * x: adds to the gradients of gamma and beta, and sets the
 * factors of x's gradient a * g + b * x + c; a, b and c [planes][16].
 */
typedef struct scarlet__norm_factors {
    float *a, *b, *c;
} scarlet__norm_factors;
void scarlet__norm_backward(const scarlet__pass *pass, const scarlet__norm *norm,
                            const scarlet__normed *kept, int first, int planes, size_t count,
                            const double *sums, const scarlet__norm_factors *factors);

#endif
