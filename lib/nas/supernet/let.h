/* Linearly equivalent transformations: the matrix that stands in an identity's place. */
#ifndef SCARLET_NAS_SUPERNET_LET_H
#define SCARLET_NAS_SUPERNET_LET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scarlet/nas.h"

/* The matrix [n][n] that a LET begins with; `index` tells the sequence of random numbers. False if
 * out of memory. */
bool scarlet__let_start(scarlet_let_start start, int n, uint64_t seed, uint64_t index,
                        double *matrix);
/* Largest singular value over the smallest; infinite for a singular matrix, negative if out of
 * memory. */
double scarlet__let_condition(const double *matrix, int n);

#endif
