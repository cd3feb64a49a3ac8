/* The weights of one layer with batch norm folded in. */
#ifndef SCARLET_ENGINE_FOLD_H
#define SCARLET_ENGINE_FOLD_H

#include "formats/tensors.h"
#include "network/network.h"

/*
 * Each convolution is y = weight * x + bias. Layouts are the release's: dense [out][in] (the stem
 * [out][3][3][3]), depthwise [channel][k * k]. What a layer does not have is NULL:
 *
 *   stem, tail, classifier   project
 *   separable                depthwise, project
 *   block                    expand, depthwise, project; squeeze, excite with squeeze-excite
 */
typedef struct scarlet__layer_weights {
    float *expand, *expand_bias;
    float *depthwise, *depthwise_bias;
    float *squeeze, *squeeze_bias;
    float *excite, *excite_bias;
    float *project, *project_bias;
    float *memory; /* all of the above */
    size_t room;   /* floats */
} scarlet__layer_weights;

/*
 * Reads and folds the weights of a layer: y = w x s + (b - mean s), s = gamma / sqrt(var +
 * epsilon), computed in double and rounded once. Kernels here compute 6 * h-swish, so the weights
 * that follow one (a block's depthwise, squeeze, project) come divided by 6; that too before the
 * rounding. `out` is zeroed before its first use; its memory is reused by the next. Errors: CORRUPT
 * naming the tensor (not finite, or a negative variance), IO, MEMORY. Free with
 * scarlet__layer_weights_free, also after a failure.
 */
scarlet_status scarlet__layer_weights_read(const scarlet__tensors *tensors,
                                           const scarlet__layer *layer, scarlet__layer_weights *out,
                                           scarlet_error *err);
void scarlet__layer_weights_free(scarlet__layer_weights *weights);

#endif
