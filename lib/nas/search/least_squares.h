/* Non-negative least squares. */
#ifndef SCARLET_NAS_SEARCH_LEAST_SQUARES_H
#define SCARLET_NAS_SEARCH_LEAST_SQUARES_H

#include <stddef.h>

/* The x >= 0, n values, that minimises x'Gx - 2 b'x: G = A'A, n x n, and b = A'y make it the least
 * squares of Ax = y. x holds where to begin. */
void scarlet__least_squares(const double *gram, const double *right, size_t n, double *x);

#endif
