/*
 * Tensors that are computed where they are read. Only raw outputs of convolutions are kept; what
 * follows them (batch norm, activation, gate) is applied by their readers, in the forward and again
 * in the backward pass.
 */
#ifndef SCARLET_NAS_UNITS_OPERAND_H
#define SCARLET_NAS_UNITS_OPERAND_H

#include "nas/units/pass.h"

typedef enum scarlet__operand_kind {
    SCARLET__RAW,       /* x */
    SCARLET__ACTIVATED, /* gain * f(scale * x + shift) */
    SCARLET__COMBINED,  /* a * x + b * other + c: batch norm's backward pass */
    SCARLET__PATCHES,   /* 3 x 3 neighbourhoods, 2 pixels apart, of pictures of 3 channels */
} scarlet__operand_kind;

typedef struct scarlet__operand {
    scarlet__operand_kind kind;
    const float *x; /* PATCHES: [picture][side][side][3] */
    size_t plane;   /* of x; of other too */
    /* ACTIVATED, per channel */
    scarlet__nonlinearity f;
    const float *scale, *shift;
    const float *gain; /* [plane][picture][16], planes scarlet__plane(pictures) apart; NULL: 1 */
    size_t gain_plane;
    size_t pixels; /* of a picture */
    /* COMBINED, per channel */
    const float *other, *a, *b, *c;
    /* PATCHES */
    int side, out_side;
    int padding; /* above and on the left, 0 or 1 */
} scarlet__operand;

enum { SCARLET__PATCH = 27 }; /* values of a patch: [ky][kx][3] */

/* One plane of a rectangle within one picture, from pixel `pixel` of the micro-batch on. Not of
 * PATCHES. */
void scarlet__operand_read(const scarlet__training_kernels *kernels, const scarlet__operand *view,
                           int plane, size_t pixel, const scarlet__rectangle *rectangle,
                           float *out);

/* From the gradient of an ACTIVATED view without gain to that of the x below, in place: `count`
 * pixels of one plane; adds to the sums of batch norm's backward pass, [2][16]. */
void scarlet__operand_derive(const scarlet__training_kernels *kernels, const scarlet__operand *view,
                             int plane, size_t pixel, size_t count, float *gradient, float *sums);

/* Planes of up to SCARLET__BLOCK pixels: where they are, *stride floats apart; in `buffer`, of
 * GROUP_MAX planes of a block, unless they are there already. */
const float *scarlet__operand_block(const scarlet__training_kernels *kernels,
                                    const scarlet__operand *view, int first, int planes,
                                    size_t pixel, size_t count, float *buffer, size_t *stride);

#endif
