/* Weights as the fused executor reads them: one block of memory, in the order of use. */
#ifndef SCARLET_ENGINE_FUSED_WEIGHTS_H
#define SCARLET_ENGINE_FUSED_WEIGHTS_H

#include "engine/fused/chunks.h"
#include "engine/kernels/kernels.h"
#include "formats/tensors.h"
#include "network/network.h"

/*
 * A dense layer. Either floats: output chunk n has its weights [k][width] at weight + k *
 * offset(n). Or, with `pairs`, bfloat16, two values in a float: [k / 2][width] at weight + k / 2 *
 * offset(n). Or integers, scaled: at integers + output_bytes * offset(n), [k / group][width][group]
 * for a gemm, [k][width] for a gemv.
 */
typedef struct scarlet__packed_dense {
    scarlet__chunks out;
    const void *begin; /* of all below; what is used after it follows in memory */
    size_t k;          /* values of an input pixel that are multiplied */
    const float *weight, *bias;
    bool pairs;
    const char *integers; /* NULL: floats */
    size_t output_bytes;  /* of one output's integers */
    const float *scale;
    const int32_t *start;
    const scarlet__integer_kernels *kernels; /* of a gemm; they fix the input's type */
    float levels;                            /* largest integer of the input */
} scarlet__packed_dense;

typedef struct scarlet__fused_layer {
    scarlet__packed_dense expand, squeeze, excite, project;
    const float *depthwise, *depthwise_bias;
    scarlet__chunks hidden; /* channels of the depthwise part */
    int precision;
    scarlet__activation activation; /* of expand and depthwise part; of the stem, the tail */
    bool pairs; /* bfloat16: depthwise, its input and output; project unless it is integers */
} scarlet__fused_layer;

typedef struct scarlet__fused_weights {
    int precision;
    float *memory;
    size_t bytes;
    int count;
    scarlet__fused_layer layer[SCARLET__NETWORK_LAYERS_MAX];
} scarlet__fused_weights;

scarlet_status scarlet__fused_weights_create(const scarlet__network *network,
                                             const scarlet__tensors *tensors,
                                             const scarlet__kernels *kernels, int precision,
                                             void **weights, size_t *bytes, scarlet_error *err);
/*
 * Precision of a layer in a network of `precision`. The first two are float32. With int8 the last
 * inverted residual's projection is int16: of all layers its depthwise part gives the largest
 * outliers, which take most of the 255 levels, and no later layer averages the error out. On the
 * trained demonstration model it caused two thirds of the predictions that int8 changed.
 */
int scarlet__fused_layer_precision(const scarlet__network *network, int layer, int precision);
void scarlet__fused_weights_free(void *weights);

#endif
