/* Folding a factor into weights. */
#ifndef SCARLET_ENGINE_SCALE_H
#define SCARLET_ENGINE_SCALE_H

#include <stdbool.h>
#include <stddef.h>

/* A product rounded to float. Denormal weights would slow some CPUs down and mean nothing: they
 * become 0. */
float scarlet__scaled(double weight, double factor);

/* scarlet__scaled of each value of `rows` rows, row i times factor[i]; same bits on every CPU.
 * False if a result is not finite. */
bool scarlet__scale_rows(float *weight, size_t rows, size_t columns, const double *factor);

#endif
