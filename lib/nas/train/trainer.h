/*
 * The trainer: one optimisation step after another on one network.
 *
 * A step takes `micro_batches` micro-batches. Each is fetched and run forward and backward by one
 * thread; gradients are summed and batch statistics taken over strictly in the order of the
 * micro-batches. So weights after N steps are the same bits for any number of threads, within one
 * build and instruction set.
 */
#ifndef SCARLET_NAS_TRAIN_TRAINER_H
#define SCARLET_NAS_TRAIN_TRAINER_H

#include "formats/tensors.h"
#include "nas/train/optimizer.h"
#include "network/network.h"

typedef struct scarlet__trainer scarlet__trainer;

typedef struct scarlet__trainer_settings {
    const scarlet__network *network; /* copied */
    int side;                        /* of the input, pixels */
    int micro_batch;                 /* pictures that batch norm sees together */
    int micro_batches;               /* of a step */
    unsigned threads;                /* at least 1 */
    int isa_max;                     /* SCARLET_ISA_* */
    scarlet__optimizer optimizer;
    double momentum;              /* SGD; 0: none */
    double beta1, beta2, epsilon; /* AdamW */
    double weight_decay;    /* of convolutions and the classifier's weight, not of batch norm or
                               biases. SGD: added to the gradient; AdamW: decoupled */
    double clip_norm;       /* of the step's whole gradient; 0: none */
    double average_decay;   /* of the moving average of weights and running statistics; 0: none */
    float drop;             /* share of features dropped before the classifier, [0, 1) */
    uint64_t seed;          /* of dropout: its bits are a function of seed, step and picture */
    int frozen_layers;      /* leading layers of the network that do not train and use running
                               statistics; the stem and the separable layer count as two */
    bool frozen_statistics; /* batch norm uses running statistics everywhere (fine-tuning) */
} scarlet__trainer_settings;

/*
 * Fills micro-batch `index` of step `step`: pictures [micro_batch][side][side][3], normalised;
 * targets [micro_batch][classes], what cross-entropy weighs the classes by (smoothing, mixing and
 * class weights are in it). Called on several threads at once, in any order. An error ends the
 * step, which then has changed nothing.
 */
typedef scarlet_status (*scarlet__fetch_fn)(void *user, int64_t step, int index, float *pictures,
                                            float *targets, scarlet_error *err);

/* Weights are 0 until they are initialised or loaded. Errors: ARGUMENT, MEMORY. */
scarlet_status scarlet__trainer_create(const scarlet__trainer_settings *settings,
                                       scarlet__trainer **out, scarlet_error *err);
void scarlet__trainer_free(scarlet__trainer *trainer);

/* Bytes that a trainer of these settings holds; -1 if they are refused. */
int64_t scarlet__trainer_memory(const scarlet__trainer_settings *settings);

/* Random weights; batch norm at 1 and 0, running statistics at 0 and 1. */
void scarlet__trainer_initialise(scarlet__trainer *trainer, uint64_t seed);

/*
 * One step at this learning rate. *loss (may be NULL) is the mean over the step's pictures. A loss
 * or gradient that is not finite is an error that names step, layer and rate: then, as after an
 * error of `fetch`, weights, optimiser and statistics are as before. So is a weight that leaves the
 * range of float32 in the update: then the trainer is of no more use.
 */
scarlet_status scarlet__trainer_step(scarlet__trainer *trainer, scarlet__fetch_fn fetch, void *user,
                                     double rate, double *loss, scarlet_error *err);

/* Steps done. */
int64_t scarlet__trainer_steps(const scarlet__trainer *trainer);
void scarlet__trainer_set_steps(scarlet__trainer *trainer, int64_t steps);

/* What a trainer holds a tensor for. */
typedef enum scarlet__state {
    SCARLET__WEIGHTS,  /* parameters and running statistics */
    SCARLET__AVERAGE,  /* their moving average; read as the weights if there is none */
    SCARLET__MOMENT_1, /* momentum, or AdamW's first moment; of parameters only */
    SCARLET__MOMENT_2, /* AdamW's second moment; of parameters only */
} scarlet__state;

bool scarlet__trainer_has(const scarlet__trainer *trainer, scarlet__state state);

/* The network's tensors, in the release's order, names and shapes. */
typedef struct scarlet__trainer_tensor {
    const char *name; /* the trainer's */
    int rank;
    int64_t shape[4];
    int64_t count;  /* of elements */
    bool statistic; /* which moments are not held of */
} scarlet__trainer_tensor;
size_t scarlet__trainer_tensors(const scarlet__trainer *trainer);
scarlet__trainer_tensor scarlet__trainer_describe(const scarlet__trainer *trainer, size_t index);
/* Elements first .. first + count - 1 of a tensor that the state holds, row-major. */
void scarlet__trainer_read(const scarlet__trainer *trainer, scarlet__state state, size_t index,
                           int64_t first, size_t count, float *out);

/* Reads a state that the trainer has from tensors of the same names and shapes, each with `prefix`
 * before its name. Weights restart the average. On failure (CORRUPT: a value that is not finite;
 * MODEL: a tensor is missing or has another shape; IO) the state is undefined. */
scarlet_status scarlet__trainer_load(scarlet__trainer *trainer, scarlet__state state,
                                     const scarlet__tensors *tensors, const char *prefix,
                                     scarlet_error *err);

#endif
