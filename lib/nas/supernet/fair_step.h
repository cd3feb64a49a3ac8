/*
 * Steps of a supernet's training: some paths run on the same batch, and one update follows.
 *
 * A parameter's gradient is the mean over the paths of the step that use it, each clipped by its
 * own norm. What no path used rests: no decay, no momentum. Where choices share weights, that is
 * so for each element. Paths are run by several threads and
 * added up in their order, so the weights are the same bits for any number of threads, within one
 * build and instruction set. Batch norm uses the batch; running statistics are not kept.
 */
#ifndef SCARLET_NAS_SUPERNET_FAIR_STEP_H
#define SCARLET_NAS_SUPERNET_FAIR_STEP_H

#include "nas/supernet/supernet.h"
#include "nas/train/trainer.h"

enum { SCARLET__PATHS_MAX = SCARLET__CHOICES_MAX + 1 }; /* of a step: those dealt, and a teacher */

typedef struct scarlet__fair_settings {
    int batch; /* pictures */
    unsigned threads;
    int isa_max;
    bool nesterov;
    double momentum;
    double weight_decay; /* of convolutions and the classifier's weight, LETs left out */
    double clip_norm;    /* of a path's gradient; 0: none */
    double let_decay;    /* of LETs, towards their start or 0 */
    bool let_to_zero;
    scarlet_let_start let_start;
    uint64_t seed; /* of the weights */
} scarlet__fair_settings;

typedef struct scarlet__fair {
    scarlet__fair_settings settings;
    const scarlet__supernet *supernet;
    float *weights, *momentum, *gradient; /* of all parts */
    float *start;                         /* that LETs decay towards, laid out one after another */
    int64_t steps;
    const scarlet_group *group; /* that shares the paths of a step; NULL: none */
    /* While a step runs, and memory for it. */
    struct scarlet__fair_work *work;
} scarlet__fair;

/* Weights are as the seed has it. The supernet must outlive it. Errors: ARGUMENT (a batch whose
 * batch norms see fewer than two values), MEMORY. Free also after a failure. */
scarlet_status scarlet__fair_create(const scarlet__supernet *supernet,
                                    const scarlet__fair_settings *settings, scarlet__fair *out,
                                    scarlet_error *err);
void scarlet__fair_free(scarlet__fair *fair);
/* Bytes held. */
int64_t scarlet__fair_bytes(const scarlet__fair *fair);

/*
 * Trains the paths. With `teach` the first of them runs first, and the others learn the
 * probabilities that it gives. `fetch` is called once, for micro-batch 0. *loss receives the mean
 * over the paths. A loss or gradient that is not finite is an error that names step, path and rate;
 * then, as after an error of `fetch`, nothing has changed.
 */
scarlet_status scarlet__fair_step(scarlet__fair *fair, const scarlet__path *path, int paths,
                                  bool teach, scarlet__fetch_fn fetch, void *user, double rate,
                                  double *loss, scarlet_error *err);

#endif
