/* Softmax cross-entropy. */
#ifndef SCARLET_NAS_UNITS_LOSS_H
#define SCARLET_NAS_UNITS_LOSS_H

#include "nas/units/pass.h"

/*
 * Sum over pictures of -sum over classes of target * log softmax(logits). Replaces the logits,
 * [plane][picture][16], by `factor` times its gradient. targets: [picture][classes]; they need not
 * add up to 1.
 */
double scarlet__loss(const scarlet__pass *pass, int classes, const float *targets, float factor,
                     float *logits);

#endif
