/* Depthwise convolution of one plane of all pictures. */
#ifndef SCARLET_NAS_UNITS_DEPTHWISE_H
#define SCARLET_NAS_UNITS_DEPTHWISE_H

#include "nas/units/operand.h"

typedef struct scarlet__depthwise_shape {
    int kernel, stride;
    int side, out_side;
    int padding; /* above and on the left: kernel / 2; with a stride of 2 perhaps one less */
} scarlet__depthwise_shape;

/* Floats of a padded picture of `side` pixels with what is read past its end. */
size_t scarlet__depthwise_padded(const scarlet__depthwise_shape *depthwise, int side);

/* Zeros around the pictures: once before the planes of a unit, in each pass. */
void scarlet__depthwise_begin(const scarlet__pass *pass, const scarlet__depthwise_shape *depthwise);

/* Sets a plane of the output; adds to its sums [2][16]. weights: offset into the parameters. */
void scarlet__depthwise_forward(const scarlet__pass *pass,
                                const scarlet__depthwise_shape *depthwise,
                                const scarlet__operand *in, int plane, size_t weights, float *out,
                                double *sums);
/*
 * Adds to the weights' gradient. Sets that of what is below the ACTIVATED input, and adds to its
 * sums [2][16] as scarlet__operand_derive does. `gradient`: of the output, its plane
 * `gradient_plane`.
 */
void scarlet__depthwise_backward(const scarlet__pass *pass,
                                 const scarlet__depthwise_shape *depthwise,
                                 const scarlet__operand *in, int plane,
                                 const scarlet__operand *gradient, int gradient_plane,
                                 size_t weights, float *in_gradient, double *sums);

#endif
