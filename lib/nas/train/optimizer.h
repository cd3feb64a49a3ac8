/* One update of some neighbouring parameters. */
#ifndef SCARLET_NAS_TRAIN_OPTIMIZER_H
#define SCARLET_NAS_TRAIN_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

typedef enum scarlet__optimizer {
    SCARLET__SGD, /* with momentum */
    SCARLET__NESTEROV,
    SCARLET__ADAMW,
} scarlet__optimizer;

/* As PyTorch's SGD (dampening 0) and AdamW. */
typedef struct scarlet__update {
    scarlet__optimizer optimizer;
    double rate;
    double momentum;              /* SGD */
    double beta1, beta2, epsilon; /* AdamW */
    double rest1, rest2;          /* 1 - beta1^t and 1 - beta2^t for the t-th update */
    double weight_decay;          /* SGD: added to the gradient; AdamW: decoupled */
    double scale;                 /* of the gradient */
} scarlet__update;

/* moment2 is NULL for SGD. */
void scarlet__update_apply(const scarlet__update *update, size_t count, const float *gradient,
                           float *weight, float *moment1, float *moment2);

/* Sum of squares; not finite if a value is not. */
double scarlet__squares(const float *x, size_t count);

/* base^n by squaring. */
double scarlet__power(double base, int64_t n);

#endif
