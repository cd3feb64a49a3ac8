/* A scatter plot, inline SVG in the colours of the page. */
#ifndef SCARLET_SRC_NAS_SCATTER_H
#define SCARLET_SRC_NAS_SCATTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Dots with names; x and y finite. */
typedef struct scatter {
    const char *title, *x_name, *y_name;
    size_t n;
    const double *x, *y;
    const char *const *name; /* of a dot, shown when pointed at */
    const int *shade;        /* of a dot, 0 .. shades-1; NULL: all the same */
    int shades;
    bool diagonal; /* the line x = y; both axes have the same range */
} scatter;

void plot_scatter(FILE *out, const scatter *plot);

#endif
