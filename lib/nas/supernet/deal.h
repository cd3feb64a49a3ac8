/* Which paths a step of a supernet trains. */
#ifndef SCARLET_NAS_SUPERNET_DEAL_H
#define SCARLET_NAS_SUPERNET_DEAL_H

#include "nas/supernet/spaces.h"

/* Paths of a step: as many as the largest layer has choices, one for SCARLET_TRAINING_UNIFORM. */
int scarlet__deal_paths(const scarlet_space *space, scarlet_training training);

/*
 * Deals the paths of step `step`, which follow from the arguments alone.
 *
 * FAIR: each layer hands its choices out to the m paths in a random order, each choice once; a
 * layer of n < m choices hands out each floor(m / n) times, and in turn one more of some of them,
 * so that over n steps all counts are equal. DEPTHS does too, but the identities of a step's layers
 * go to the same paths: groups of layers, of all sizes, are skipped together.
 */
void scarlet__deal(const scarlet_space *space, scarlet_training training, uint64_t seed,
                   int64_t step, scarlet__path path[SCARLET__CHOICES_MAX]);

/* The path of the choices with most multiply-adds; of several the first. */
void scarlet__largest_path(const scarlet_space *space, scarlet__path *path);

#endif
