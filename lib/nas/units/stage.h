/* A 1x1 convolution with batch norm, some planes of its output at a time: what blocks and the tail
 * begin with. */
#ifndef SCARLET_NAS_UNITS_STAGE_H
#define SCARLET_NAS_UNITS_STAGE_H

#include "nas/units/dense.h"
#include "nas/units/unit.h"

typedef struct scarlet__stage {
    scarlet__operand in;
    int channels; /* of the input */
    size_t pixels;
    size_t weights; /* offset into the parameters */
    const scarlet__norm *norm;
    float *out; /* kept: the convolution's output, */
    size_t plane;
    scarlet__normed normed; /* and its batch norm */
} scarlet__stage;

/* Sets planes first .. first + planes - 1 of the output and their batch norm. */
void scarlet__stage_forward(const scarlet__pass *pass, const scarlet__stage *stage, int first,
                            int planes);
/*
 * From the gradient [planes] of the output after batch norm, with its sums [planes][2][16] as
 * scarlet__norm_backward takes them, to those of the parameters and, unless NULL, of the input,
 * which is added to but where `set`.
 */
void scarlet__stage_backward(const scarlet__pass *pass, const scarlet__stage *stage, int first,
                             int planes, const float *gradient, const double *sums,
                             float *in_gradient, size_t in_plane, bool set);

/* The output after batch norm and activation. */
static inline scarlet__operand scarlet__stage_view(const scarlet__stage *stage,
                                                   scarlet__nonlinearity f)
{
    return (scarlet__operand){.kind = SCARLET__ACTIVATED,
                              .x = stage->out,
                              .plane = stage->plane,
                              .f = f,
                              .scale = stage->normed.scale,
                              .shift = stage->normed.shift};
}

#endif
