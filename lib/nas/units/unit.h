/* The units of a network: each is a function of a micro-batch with parameters. */
#ifndef SCARLET_NAS_UNITS_UNIT_H
#define SCARLET_NAS_UNITS_UNIT_H

#include "nas/units/excite.h"
#include "nas/units/norm.h"

typedef enum scarlet__unit_kind {
    SCARLET__UNIT_ENTRY,  /* stem and separable layer: a block whose expansion is the stem; x are
                        pictures [picture][side][side][3] */
    SCARLET__UNIT_BLOCK,  /* inverted residual */
    SCARLET__UNIT_LET,    /* 1x1 convolution without bias */
    SCARLET__UNIT_TAIL,   /* 1x1 convolution and mean over the picture; y is [plane][picture][16] */
    SCARLET__UNIT_LINEAR, /* classifier; x and y are [plane][picture][16] */
} scarlet__unit_kind;

typedef struct scarlet__unit {
    scarlet__unit_kind kind;
    int in, hidden, out; /* channels; hidden: of ENTRY and BLOCK */
    int in_side;         /* of x, pixels */
    int side;            /* of the expansion: what the depthwise convolution reads */
    int out_side;        /* of the depthwise convolution's output */
    int kernel, stride;  /* of the depthwise convolution */
    int padding;         /* of it, above and on the left */
    int in_padding;      /* of an ENTRY's stem */
    bool residual;
    scarlet__nonlinearity nonlinearity; /* after the batch norms but the projection's */
    scarlet__excite excite;             /* .squeeze is 0 without */
    /* Offsets into the parameters: dense weights [plane of the output][channel][16], depthwise
     * ones [plane][k * k][16]. `expand` is the only convolution of LET, TAIL and LINEAR. */
    size_t expand, depthwise, project, bias;
    scarlet__norm expanded, filtered, projected;
} scarlet__unit;

/* Floats that a unit keeps between its forward and its backward pass. */
size_t scarlet__unit_kept(const scarlet__unit *unit, int pictures);
/* Raises `sizes` to what the unit needs. */
void scarlet__unit_needs(const scarlet__unit *unit, int pictures, scarlet__scratch_sizes *sizes);

/* Sets y from x, both scarlet__plane(pixels) floats a plane. */
void scarlet__unit_forward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                           float *kept, float *y);
/*
 * Reads x and what the forward pass kept; adds to the gradients of the parameters. Turns y's
 * gradient into x's, at x_gradient: that of a residual unit is y_gradient itself, that of others
 * another place, or NULL if it is not wanted.
 */
void scarlet__unit_backward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                            float *kept, float *y_gradient, float *x_gradient);

#endif
