/* How well two columns of values agree in their order. */
#ifndef SCARLET_SRC_NAS_CORRELATION_H
#define SCARLET_SRC_NAS_CORRELATION_H

#include <stddef.h>

/*
 * Kendall's tau-b of n pairs of values: the pairs of rows ordered alike less those ordered
 * differently, over the geometric mean of the numbers of pairs that are not tied in x and in y.
 *
 * times     how often each row occurs (NULL: once); two copies of one row are no pair
 * stratum   only rows of equal stratum make pairs (NULL: all do)
 *
 * NaN if all pairs are tied in x or in y.
 */
double kendall(const double *x, const double *y, size_t n, const unsigned *times,
               const int *stratum);

/* Spearman's rank correlation; NaN if x or y is constant. */
double spearman(const double *x, const double *y, size_t n);

/* Positions of the values in ascending order. */
void ascending_order(const double *x, size_t n, size_t *order);

/* The q quantile of ascending values, between the neighbours. */
double quantile(const double *sorted, size_t n, double q);

#endif
