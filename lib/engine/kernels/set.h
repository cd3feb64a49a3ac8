/* What every kernel file includes: the vector type, the table, and the functions that fill it. */
#ifndef SCARLET_ENGINE_KERNELS_SET_H
#define SCARLET_ENGINE_KERNELS_SET_H

#include "engine/kernels/kernels.h"
#include "engine/kernels/vector.h"

void KERNEL(fill_depthwise)(scarlet__kernels *k);
void KERNEL(fill_elementwise)(scarlet__kernels *k);
void KERNEL(fill_gemm)(scarlet__kernels *k);
void KERNEL(fill_integer)(scarlet__kernels *k);
void KERNEL(fill_bf16)(scarlet__kernels *k);

#endif
