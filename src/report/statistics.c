#include "statistics.h"

#include <math.h>

double percent(int64_t part, int64_t whole)
{
    return whole ? 100 * (double)part / (double)whole : 0;
}

void wilson(int64_t part, int64_t whole, double bounds[2])
{
    const double z = 1.959963984540054;
    bounds[0] = 0;
    bounds[1] = 100;
    if (!whole)
        return;
    double n = (double)whole, p = (double)part / n, scale = 1 + z * z / n;
    double middle = (p + z * z / (2 * n)) / scale;
    double half = z / scale * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    bounds[0] = 100 * fmax(0, middle - half);
    bounds[1] = 100 * fmin(1, middle + half);
}

double mcnemar(int64_t b, int64_t c)
{
    int64_t n = b + c, least = b < c ? b : c;
    double sum = 0, term = 1;
    for (int64_t i = least; i >= 0 && term > sum * 1e-17; i--) {
        term = exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) -
                   (double)n * M_LN2);
        sum += term;
    }
    return fmin(1, 2 * sum);
}
