/* Units without a depthwise convolution: tail, classifier, LET. */
#ifndef SCARLET_NAS_UNITS_LINEAR_H
#define SCARLET_NAS_UNITS_LINEAR_H

#include "nas/units/unit.h"

size_t scarlet__tail_kept(const scarlet__unit *unit, int pictures);
void scarlet__tail_needs(const scarlet__unit *unit, int pictures, scarlet__scratch_sizes *sizes);
void scarlet__tail_forward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                           float *kept, float *y);
void scarlet__tail_backward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                            float *kept, const float *y_gradient, float *x_gradient);

/* LET and classifier; nothing is kept. */
void scarlet__linear_needs(const scarlet__unit *unit, scarlet__scratch_sizes *sizes);
void scarlet__linear_forward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                             float *y);
void scarlet__linear_backward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                              const float *y_gradient, float *x_gradient);

#endif
