/* Squeeze-excite: a gate of 0 to 1 for each channel of each picture from the means of them all. */
#ifndef SCARLET_NAS_UNITS_EXCITE_H
#define SCARLET_NAS_UNITS_EXCITE_H

#include "nas/units/pass.h"

typedef struct scarlet__excite {
    int hidden, squeeze;
    /* Offsets into the parameters: weights [plane of the output][channel][16]. */
    size_t squeeze_weights, squeeze_bias, excite_weights, excite_bias;
} scarlet__excite;

/* [plane][picture][16], planes scarlet__plane(pictures) apart */
typedef struct scarlet__excited {
    float *means, *squeezed, *rectified, *excited, *gate;
    float *gate_gradient; /* in the backward pass; then that of the means */
    float *squeezed_gradient;
} scarlet__excited;

scarlet__excited scarlet__excited_carve(scarlet__carver *arena, const scarlet__excite *excite,
                                        int pictures);
/* From means to gates. */
void scarlet__excite_forward(const scarlet__pass *pass, const scarlet__excite *excite,
                             const scarlet__excited *kept);
/* From the gates' gradient to that of the means, in its place. */
void scarlet__excite_backward(const scarlet__pass *pass, const scarlet__excite *excite,
                              const scarlet__excited *kept);

#endif
