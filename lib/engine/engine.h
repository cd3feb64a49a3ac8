/* What an executor is: one way to run a network. The only interface between sessions and executors.
 */
#ifndef SCARLET_ENGINE_ENGINE_H
#define SCARLET_ENGINE_ENGINE_H

#include "engine/kernels/kernels.h"
#include "formats/tensors.h"
#include "network/network.h"

/* Called after each layer of a traced run; pixel p of the layer's output begins at
 * values + p * stride. */
typedef struct scarlet__tracer {
    void (*layer)(void *user, size_t picture, int layer, int side, int channels,
                  const float *values, size_t stride);
    void *user;
} scarlet__tracer;

typedef struct scarlet__execution {
    const scarlet__network *network;
    const scarlet__kernels *kernels;
    const void *weights; /* as made by the executor's weights_create */
    int side;            /* of the input */
    bool nhwc;           /* layout of pictures */
    bool features;       /* stop before the classifier */
    unsigned threads;    /* the calling one included; the executor starts the others */
    size_t taken, limit; /* bytes that the session has already, and may have in all */
} scarlet__execution;

typedef struct scarlet__engine {
    int id; /* SCARLET_ENGINE_* */
    /* Makes it ready in this process, once; more calls do nothing. Errors: UNSUPPORTED, with the
     * cause, if it cannot run on this machine or is not in this build; MEMORY. NULL: it needs
     * nothing. */
    scarlet_status (*start)(scarlet_error *err);
    /* Reads and packs a network's weights for a SCARLET_PRECISION_*; *bytes receives the memory
     * they take. They are never changed afterwards, and all sessions share them. */
    scarlet_status (*weights_create)(const scarlet__network *network,
                                     const scarlet__tensors *tensors,
                                     const scarlet__kernels *kernels, int precision, void **weights,
                                     size_t *bytes, scarlet_error *err);
    void (*weights_free)(void *weights);
    /* The precision of a layer in a network of `precision`; NULL: that of the network. */
    int (*layer_precision)(const scarlet__network *network, int layer, int precision);
    /* Makes what one session needs in addition to the weights. */
    scarlet_status (*create)(const scarlet__execution *execution, void **executor, size_t *bytes,
                             scarlet_error *err);
    void (*free)(void *executor);
    /* Runs `batch` pictures, each 3 * side * side finite floats; writes `batch` times the scores or
     * features. Allocates nothing. tracer may be NULL. */
    scarlet_status (*run)(void *executor, const float *pictures, size_t batch, float *out,
                          const scarlet__tracer *tracer, scarlet_error *err);
} scarlet__engine;

extern const scarlet__engine scarlet__engine_xnnpack; /* may not start */
extern const scarlet__engine scarlet__engine_fused;   /* everywhere; fast where kernels are tuned */

#endif
