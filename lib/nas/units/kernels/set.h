/* What every kernel file of training includes: the vector type, the table, the functions that fill
 * it, and comparisons. */
#ifndef SCARLET_NAS_UNITS_KERNELS_SET_H
#define SCARLET_NAS_UNITS_KERNELS_SET_H

#include "engine/kernels/vector.h"
#include "nas/units/kernels/kernels.h"

enum {
    LANES = SCARLET__LANES,
    PER = LANES / VL /* vectors of a plane */
};

void KERNEL(fill_training_dense)(scarlet__training_kernels *k);
void KERNEL(fill_training_depthwise)(scarlet__training_kernels *k);
void KERNEL(fill_training_elementwise)(scarlet__training_kernels *k);

#endif
