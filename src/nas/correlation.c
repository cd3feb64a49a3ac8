#include "correlation.h"

#include <math.h>
#include <stdlib.h>

#include "common/alloc.h"

/* ---- order ---- */

typedef struct place {
    double value;
    size_t index;
} place;

static int by_value(const void *a, const void *b)
{
    const place *p = a, *q = b;
    if (p->value != q->value)
        return p->value < q->value ? -1 : 1;
    return p->index < q->index ? -1 : 1;
}

void ascending_order(const double *x, size_t n, size_t *order)
{
    place *all = cli_alloc(n, sizeof *all);
    for (size_t i = 0; i < n; i++)
        all[i] = (place){x[i], i};
    qsort(all, n, sizeof *all, by_value);
    for (size_t i = 0; i < n; i++)
        order[i] = all[i].index;
    free(all);
}

double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

/* ---- Kendall ---- */

static int sign(double a, double b)
{
    return (a > b) - (a < b);
}

double kendall(const double *x, const double *y, size_t n, const unsigned *times,
               const int *stratum)
{
    double agree = 0, apart_x = 0, apart_y = 0;
    for (size_t i = 0; i < n; i++) {
        double row_agree = 0, row_x = 0, row_y = 0;
        for (size_t j = 0; j < i; j++) {
            double weight = times ? times[j] : 1;
            weight *= !stratum || stratum[i] == stratum[j];
            int a = sign(x[i], x[j]), b = sign(y[i], y[j]);
            row_agree += weight * (a * b);
            row_x += weight * (a != 0);
            row_y += weight * (b != 0);
        }
        double weight = times ? times[i] : 1;
        agree += weight * row_agree;
        apart_x += weight * row_x;
        apart_y += weight * row_y;
    }
    return agree / sqrt(apart_x * apart_y); /* 0 / 0 is NaN */
}

/* ---- Spearman ---- */

/* Ranks from 0; equal values share the mean of theirs. */
static double *ranks(const double *x, size_t n)
{
    size_t *order = cli_alloc(n, sizeof *order);
    double *rank = cli_alloc(n, sizeof *rank);
    ascending_order(x, n, order);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && x[order[end]] == x[order[i]];)
            end++;
        for (size_t k = i; k < end; k++)
            rank[order[k]] = (double)(i + end - 1) / 2;
    }
    free(order);
    return rank;
}

double spearman(const double *x, const double *y, size_t n)
{
    double *a = ranks(x, n), *b = ranks(y, n), middle = ((double)n - 1) / 2;
    double products = 0, squares_a = 0, squares_b = 0;
    for (size_t i = 0; i < n; i++) {
        products += (a[i] - middle) * (b[i] - middle);
        squares_a += (a[i] - middle) * (a[i] - middle);
        squares_b += (b[i] - middle) * (b[i] - middle);
    }
    free(a);
    free(b);
    return products / sqrt(squares_a * squares_b);
}
