/* 1x1 convolutions and linear layers, block of pixels by block. */
#ifndef SCARLET_NAS_UNITS_DENSE_H
#define SCARLET_NAS_UNITS_DENSE_H

#include "nas/units/operand.h"

/* Some channels of the input to some planes of the output. */
typedef struct scarlet__dense {
    const scarlet__operand *in;
    int first;    /* plane of the input to begin with */
    int channels; /* of the input from there on */
    int outs;     /* channels of the output */
    size_t pixels;
    size_t weights;       /* offset into the parameters: [plane of the output][channel][16] */
    size_t weights_plane; /* floats from a plane of the output to the next */
} scarlet__dense;

/* Floats of the weights of a whole layer, and of one of its planes. */
static inline size_t scarlet__dense_plane(int channels)
{
    return (size_t)scarlet__planes(channels) * SCARLET__LANES * SCARLET__LANES;
}

/* Sets, or with `add` adds to, the output; adds to sums [plane][2][16] of it unless NULL. */
void scarlet__dense_forward(const scarlet__pass *pass, const scarlet__dense *dense, float *out,
                            size_t out_plane, bool add, double *sums);

/*
 * Adds to the weights' gradient. Sets, or with `add` adds to, the input's gradient from plane
 * `first` on, at in_gradient, unless that is NULL. With `sums`, of an ACTIVATED input without gain,
 * that is the gradient below batch norm and activation, and its sums [plane][2][16] are added to.
 */
void scarlet__dense_backward(const scarlet__pass *pass, const scarlet__dense *dense,
                             const scarlet__operand *gradient, float *in_gradient, size_t in_plane,
                             bool add, double *sums);

#endif
