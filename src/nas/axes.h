/* The frame of a plot with values along both sides, inline SVG in the colours of the page. */
#ifndef SCARLET_SRC_NAS_AXES_H
#define SCARLET_SRC_NAS_AXES_H

#include <stddef.h>
#include <stdio.h>

enum { PLOT_LEFT = 58, PLOT_RIGHT = 396, PLOT_UPPER = 12, PLOT_LOWER = 262 };

typedef struct axis {
    double low, high;
    double first, step; /* of the ticks, multiples of 1, 2 or 5 times a power of ten */
} axis;

/* Some ticks, and a margin at both ends. */
axis axis_of(double low, double high);
/* Widens low .. high to the finite ones of n values. */
void axis_range(const double *values, size_t n, double *low, double *high);
/* Where a value is. */
double at_x(const axis *x, double value);
double at_y(const axis *y, double value);
/* Opens the <svg> in a <figure> and draws both axes. */
void axes_open(FILE *out, const char *title, const axis *x, const char *x_name, const axis *y,
               const char *y_name);

#endif
