#include "nas/supernet/svd.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SWEEPS_MAX = 60 };
static const double tiny = 1e-15; /* cosine between columns that are orthogonal enough */

/* Turns columns p and q of a and v so that those of a become orthogonal; whether they were not. */
static bool rotate(double *a, double *v, int n, int p, int q)
{
    double pp = 0, qq = 0, pq = 0;
    for (int i = 0; i < n; i++) {
        pp += a[i * n + p] * a[i * n + p];
        qq += a[i * n + q] * a[i * n + q];
        pq += a[i * n + p] * a[i * n + q];
    }
    if (pq == 0 || fabs(pq) <= tiny * sqrt(pp * qq))
        return false;
    const double zeta = (qq - pp) / (2 * pq);
    const double t = copysign(1 / (fabs(zeta) + hypot(1, zeta)), zeta);
    const double c = 1 / hypot(1, t), s = c * t;
    for (int i = 0; i < n; i++) {
        double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
        x = v[i * n + p];
        y = v[i * n + q];
        v[i * n + p] = c * x - s * y;
        v[i * n + q] = s * x + c * y;
    }
    return true;
}

static void swap_columns(double *a, int n, int p, int q)
{
    for (int i = 0; i < n; i++) {
        const double held = a[i * n + p];
        a[i * n + p] = a[i * n + q];
        a[i * n + q] = held;
    }
}

/* Puts a unit vector orthogonal to columns 0 .. k-1 of u into column k. */
static void complete(double *u, int n, int k)
{
    double best = -1;
    for (int axis = 0; axis < n && best < 0.5 / n; axis++) {
        /* What is left of the axis, projected twice for accuracy. */
        for (int i = 0; i < n; i++)
            u[i * n + k] = i == axis;
        for (int twice = 0; twice < 2; twice++)
            for (int j = 0; j < k; j++) {
                double dot = 0;
                for (int i = 0; i < n; i++)
                    dot += u[i * n + j] * u[i * n + k];
                for (int i = 0; i < n; i++)
                    u[i * n + k] -= dot * u[i * n + j];
            }
        best = 0;
        for (int i = 0; i < n; i++)
            best += u[i * n + k] * u[i * n + k];
    }
    for (int i = 0; i < n; i++)
        u[i * n + k] /= sqrt(best);
}

/* One-sided Jacobi: accurate also for small singular values. */
void scarlet__svd(const double *matrix, int n, double *u, double *s, double *v)
{
    memcpy(u, matrix, (size_t)n * (size_t)n * sizeof *u);
    for (int i = 0; i < n * n; i++)
        v[i] = i / n == i % n;
    bool moved = true;
    for (int sweep = 0; moved && sweep < SWEEPS_MAX; sweep++) {
        moved = false;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++)
                moved |= rotate(u, v, n, p, q);
    }
    for (int k = 0; k < n; k++) {
        s[k] = 0;
        for (int i = 0; i < n; i++)
            s[k] += u[i * n + k] * u[i * n + k];
        s[k] = sqrt(s[k]);
    }
    for (int k = 0; k < n; k++) { /* descending */
        int largest = k;
        for (int i = k + 1; i < n; i++)
            largest = s[i] > s[largest] ? i : largest;
        const double held = s[k];
        s[k] = s[largest];
        s[largest] = held;
        if (largest != k) {
            swap_columns(u, n, k, largest);
            swap_columns(v, n, k, largest);
        }
    }
    for (int k = 0; k < n; k++)
        if (s[k] > s[0] * 1e-14)
            for (int i = 0; i < n; i++)
                u[i * n + k] /= s[k];
        else
            complete(u, n, k);
}
