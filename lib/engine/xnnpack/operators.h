/*
 * XNNPACK's operators behind one small interface. operators.c is the only file that includes
 * xnnpack.h; it bridges the two generations of its API (Debian 12: setup; Debian 13: reshape and
 * setup).
 */
#ifndef SCARLET_ENGINE_XNNPACK_OPERATORS_H
#define SCARLET_ENGINE_XNNPACK_OPERATORS_H

#include <pthreadpool.h>

#include "scarlet/scarlet.h"

/* A layer bound to its input and output. */
typedef struct xnn_operator scarlet__operator;

/* As scarlet__engine.start. XNNPACK always gets the default allocator: the allocator is
 * process-wide, and not a library's to choose. */
scarlet_status scarlet__xnnpack_start(scarlet_error *err);

typedef struct scarlet__operator_layer {
    size_t in, out;               /* channels */
    size_t in_stride, out_stride; /* floats from a pixel to the next */
    const float *weight, *bias;   /* [out][in], [out] */
    float low, high;              /* the output is clamped to this */
    size_t pixels;                /* of the input; of the stem's input, its side */
    size_t padding;               /* of the stem's input above and on the left, 0 or 1 */
    const float *input;           /* readable 16 bytes past its end */
    float *output;
} scarlet__operator_layer;

/* A 1x1 convolution, or a linear layer over one pixel. */
scarlet_status scarlet__operator_dense(const scarlet__operator_layer *layer, pthreadpool_t pool,
                                       scarlet__operator **op, scarlet_error *err);
/* A 3x3 convolution with stride 2 of a square picture, 1 pixel of padding below and on the right;
 * weight [out][3][3][in]. */
scarlet_status scarlet__operator_stem(const scarlet__operator_layer *layer, pthreadpool_t pool,
                                      scarlet__operator **op, scarlet_error *err);
/* Memory that XNNPACK takes for such an operator: an estimate, since XNNPACK does not say. */
size_t scarlet__operator_dense_bytes(const scarlet__operator_layer *layer);
size_t scarlet__operator_stem_bytes(const scarlet__operator_layer *layer);
scarlet_status scarlet__operator_run(scarlet__operator *op, pthreadpool_t pool, scarlet_error *err);
void scarlet__operator_free(scarlet__operator *op);

#endif
