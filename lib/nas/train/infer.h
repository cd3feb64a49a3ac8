/* Runs pictures of a dataset through a model, on several threads: evaluation, and the features that
 * a head is fitted to. */
#ifndef SCARLET_NAS_TRAIN_INFER_H
#define SCARLET_NAS_TRAIN_INFER_H

#include "nas/data/pictures.h"

/* Receives what the network gives for picture number `i` of those asked for. Called on several
 * threads at once. */
typedef void (*scarlet__infer_fn)(void *user, size_t i, const float *values, size_t length);

typedef struct scarlet__inference {
    scarlet_model *model;
    const scarlet_options *opts; /* of sessions and pictures; crop is the input size */
    scarlet__pictures *pictures;
    const uint32_t *index; /* pictures of the dataset */
    size_t count;
    unsigned threads;
    scarlet__infer_fn take;
    void *user;
} scarlet__inference;

/* Broken pictures are left out: `take` is not called for them. */
scarlet_status scarlet__infer(const scarlet__inference *inference, scarlet_error *err);

typedef struct scarlet__evaluation {
    size_t count; /* pictures, without broken ones */
    double top1, balanced, loss;
} scarlet__evaluation;

/* Scores a part of a dataset. Values are NaN if none of its pictures can be read. */
scarlet_status scarlet__evaluate(scarlet_model *model, const scarlet_dataset *dataset,
                                 scarlet__pictures *pictures, scarlet_part part, unsigned threads,
                                 scarlet__evaluation *out, scarlet_error *err);

#endif
