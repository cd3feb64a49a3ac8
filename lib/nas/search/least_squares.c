#include "nas/search/least_squares.h"

#include <math.h>

enum { SWEEPS_MAX = 200000 };
#define TOLERANCE 1e-12 /* of the largest value, a sweep's largest move */

/* Coordinate descent: each coordinate in turn goes to its own optimum. */
void scarlet__least_squares(const double *gram, const double *right, size_t n, double *x)
{
    for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
        double moved = 0, largest = 0;
        for (size_t i = 0; i < n; i++) {
            const double *row = gram + i * n;
            double rest = right[i];
            for (size_t k = 0; k < n; k++)
                rest -= row[k] * x[k];
            double now = row[i] > 0 ? fmax(0, x[i] + rest / row[i]) : 0;
            moved = fmax(moved, fabs(now - x[i]));
            largest = fmax(largest, now);
            x[i] = now;
        }
        if (moved <= TOLERANCE * largest)
            return;
    }
}
