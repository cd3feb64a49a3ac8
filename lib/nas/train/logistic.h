/* Multinomial logistic regression: a linear classifier fitted to feature vectors. */
#ifndef SCARLET_NAS_TRAIN_LOGISTIC_H
#define SCARLET_NAS_TRAIN_LOGISTIC_H

#include <stddef.h>

#include "scarlet/scarlet.h"

typedef struct scarlet__logistic {
    const float *x; /* count x features */
    const int32_t *label;
    size_t count, features, classes; /* count >= 1 */
} scarlet__logistic;

/*
 * Minimises mean cross-entropy + |V|^2 / (2 count) over V, the weights of features standardised to
 * mean 0 and deviation 1, and the biases: a strictly convex problem, by L-BFGS. One thread; the
 * same bits for the same vectors in the same order.
 *
 * weight receives classes x features for the features as they are, bias classes; *loss the mean
 * cross-entropy. Errors: MEMORY.
 */
scarlet_status scarlet__logistic_fit(const scarlet__logistic *problem, float *weight, float *bias,
                                     double *loss, scarlet_error *err);

/* Scores of one vector. */
void scarlet__linear(const float *weight, const float *bias, const float *x, size_t features,
                     size_t classes, float *scores);

#endif
