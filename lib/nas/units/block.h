/* Inverted residual blocks, and the entry: stem and separable layer. */
#ifndef SCARLET_NAS_UNITS_BLOCK_H
#define SCARLET_NAS_UNITS_BLOCK_H

#include "nas/units/unit.h"

size_t scarlet__block_kept(const scarlet__unit *unit, int pictures);
void scarlet__block_needs(const scarlet__unit *unit, int pictures, scarlet__scratch_sizes *sizes);
void scarlet__block_forward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                            float *kept, float *y);
void scarlet__block_backward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                             float *kept, float *y_gradient, float *x_gradient);

#endif
