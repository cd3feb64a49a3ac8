#include "nas/supernet/let.h"

#include <math.h>

#include "common/memory.h"
#include "nas/data/random.h"
#include "nas/real.h"
#include "nas/supernet/svd.h"

static double normal(scarlet__random *random)
{
    const double u = 1 - scarlet__random_unit(random), v = scarlet__random_unit(random);
    return sqrt(-2 * scarlet__real_log(u)) * scarlet__real_cos_pi(v);
}

bool scarlet__let_start(scarlet_let_start start, int n, uint64_t seed, uint64_t index,
                        double *matrix)
{
    scarlet__random random = scarlet__random_at(seed, SCARLET__RANDOM_LET, 0, index);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            matrix[i * n + k] =
                start == SCARLET_LET_IDENTITY ? i == k : normal(&random) / sqrt((double)n);
    if (start != SCARLET_LET_ORTHOGONAL)
        return true;
    /* The orthogonal factor of the polar decomposition: U V^T. */
    const size_t square = (size_t)n * (size_t)n;
    double *u = scarlet__alloc(2 * square + (size_t)n, sizeof *u);
    if (!u)
        return false;
    double *v = u + square, *s = v + square;
    scarlet__svd(matrix, n, u, s, v);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            double sum = 0;
            for (int j = 0; j < n; j++)
                sum += u[i * n + j] * v[k * n + j];
            matrix[i * n + k] = sum;
        }
    scarlet__free(u);
    return true;
}

double scarlet__let_condition(const double *matrix, int n)
{
    const size_t square = (size_t)n * (size_t)n;
    double *u = scarlet__alloc(2 * square + (size_t)n, sizeof *u);
    if (!u)
        return -1;
    double *s = u + 2 * square;
    scarlet__svd(matrix, n, u, s, u + square);
    const double condition = s[n - 1] > 0 ? s[0] / s[n - 1] : INFINITY;
    scarlet__free(u);
    return condition;
}
