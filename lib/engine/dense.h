/*
 * XNNPACK behind one small interface. dense.c is the only file that includes xnnpack.h; it
 * bridges the two generations of its API (Debian 12: setup; Debian 13: reshape and setup).
 */
#ifndef SCARLET_ENGINE_DENSE_H
#define SCARLET_ENGINE_DENSE_H

#include <pthreadpool.h>

#include "scarlet/scarlet.h"

/* A dense layer bound to its input and output. */
typedef struct xnn_operator scarlet__dense;

/* Once a process; more calls do nothing. The default allocator always: it is process-wide, and a
 * library has no right to it. */
scarlet_status scarlet__xnnpack_initialize(scarlet_error *err);

typedef struct scarlet__dense_layer {
    size_t in, out;               /* channels */
    size_t in_stride, out_stride; /* floats from a pixel to the next */
    const float *weight, *bias;   /* [out][in], [out] */
    float low, high;              /* the output is clamped to this */
} scarlet__dense_layer;

/* A 1x1 convolution over `pixels` pixels, or the classifier. Input memory must be readable 16 bytes
 * past its end. */
scarlet_status scarlet__dense_create(const scarlet__dense_layer *layer, size_t pixels,
                                     const float *input, float *output, pthreadpool_t pool,
                                     scarlet__dense **op, scarlet_error *err);
/* A 3x3 convolution with stride 2 and padding 1 of a side x side picture; weight [out][3][3][in].
 */
scarlet_status scarlet__stem_create(const scarlet__dense_layer *layer, size_t side,
                                    const float *input, float *output, pthreadpool_t pool,
                                    scarlet__dense **op, scarlet_error *err);
/* Memory that XNNPACK takes for such an operator: an estimate, it does not tell. */
size_t scarlet__dense_bytes(const scarlet__dense_layer *layer);
size_t scarlet__stem_bytes(const scarlet__dense_layer *layer, size_t side);
scarlet_status scarlet__dense_run(scarlet__dense *op, pthreadpool_t pool, scarlet_error *err);
void scarlet__dense_free(scarlet__dense *op);

#endif
