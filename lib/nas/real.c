#include "nas/real.h"

#include <math.h>

/* Multiplications, additions, divisions and scaling by powers of two only, in a fixed order, built
 * with -ffp-contract=off: the same bits wherever arithmetic is IEEE's. */

static const double ln2_high = 0x1.62e42fefa38p-1; /* the low bits are 0: n * ln2_high is exact */
static const double ln2_low = 0x1.ef35793c7673p-45;

double scarlet__real_exp(double x)
{
    if (x < -745.2)
        return 0;
    if (x > 709.79)
        return INFINITY;
    double n = floor(x * 0x1.71547652b82fep0 + 0.5); /* 1 / ln 2 */
    double r = (x - n * ln2_high) - n * ln2_low;     /* |r| <= ln 2 / 2 */
    double sum = 1;
    for (int i = 17; i > 0; i--)
        sum = 1 + sum * r / i;
    return ldexp(sum, (int)n);
}

double scarlet__real_log(double x)
{
    int n;
    double m = frexp(x, &n); /* in [1/2, 1) */
    if (m < 0x1.6a09e667f3bcdp-1) {
        m *= 2; /* now in [sqrt(1/2), sqrt(2)) */
        n--;
    }
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int i = 23; i > 0; i -= 2) /* log m = 2 atanh s, |s| <= 0.172 */
        sum = sum * square + 1.0 / i;
    return n * ln2_high + (2 * s * sum + n * ln2_low);
}

double scarlet__real_cos_pi(double x)
{
    if (x > 0.5)
        return -scarlet__real_cos_pi(1 - x);
    double square = x * 0x1.921fb54442d18p1;
    square *= square;
    double sum = 1;
    for (int i = 24; i > 0; i -= 2) /* Taylor's series, as Horner's scheme */
        sum = 1 - sum * square / (i * (i - 1));
    return sum;
}
