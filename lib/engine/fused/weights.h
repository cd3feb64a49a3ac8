/* Weights as the fused executor wants them: one block of memory, in the order of use. */
#ifndef SCARLET_ENGINE_FUSED_WEIGHTS_H
#define SCARLET_ENGINE_FUSED_WEIGHTS_H

#include "engine/fused/chunks.h"
#include "engine/kernels/kernels.h"
#include "network/network.h"

/* A dense layer: output chunk n has its weights [k][width] at weight + k_padded * offset(n). */
typedef struct scarlet__packed_dense {
    scarlet__chunks out;
    size_t k; /* values of an input pixel that are multiplied */
    const float *weight, *bias;
} scarlet__packed_dense;

typedef struct scarlet__fused_layer {
    scarlet__packed_dense expand, squeeze, excite, project;
    const float *depthwise, *depthwise_bias;
    scarlet__chunks hidden; /* channels of the depthwise part */
    const char *end;        /* of the layer's weights */
} scarlet__fused_layer;

typedef struct scarlet__fused_weights {
    const scarlet__kernels *kernels;
    float *memory;
    size_t bytes;
    int count;
    scarlet__fused_layer layer[SCARLET__NETWORK_LAYERS_MAX];
} scarlet__fused_weights;

scarlet_status scarlet__fused_weights_create(const scarlet__network *network,
                                             const scarlet__tensors *tensors,
                                             const scarlet__kernels *kernels, void **weights,
                                             size_t *bytes, scarlet_error *err);
void scarlet__fused_weights_free(void *weights);

#endif
