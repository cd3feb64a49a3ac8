/* Curves over a common axis, inline SVG in the colours of the page. */
#ifndef SCARLET_SRC_NAS_CURVES_H
#define SCARLET_SRC_NAS_CURVES_H

#include <stddef.h>
#include <stdio.h>

enum { CURVES_MAX = 2 };

typedef struct curves {
    const char *title, *x_name;
    size_t n;
    const double *x;
    struct curve {
        const char *name;
        const double *y; /* NaN: no value */
    } curve[CURVES_MAX];
    size_t count;
    size_t marked; /* index of a value that gets a mark on the last curve; n: none */
} curves;

void plot_curves(FILE *out, const curves *plot);

#endif
