#include <float.h>
#include <math.h>

#include "check.h"

static const double U = FLT_EPSILON / 2; /* of one rounding */
static const double TINY = 0x1p-149;     /* of one rounding among the denormals */

void sum_add(sum *s, double a, double b)
{
    s->value += a * b;
    s->magnitude += fabs(a * b);
    s->terms++;
}

/* Any order of additions, product rounded or not: n roundings of at most `magnitude`. */
approximate sum_result(const sum *s)
{
    double n = (double)s->terms + 1;
    return (approximate){s->value, n * (U * s->magnitude * (1 + n * U) + TINY)};
}

/* min(max(x, 0), 6), and a NaN stays one. */
static double clamp6(double x)
{
    return x < 0 ? 0 : x > 6 ? 6 : x;
}

approximate activated(approximate x, scarlet__activation a)
{
    if (!isfinite(x.value))
        x.error = 0;
    double y;
    switch (a) {
    case SCARLET__RELU6:
        return (approximate){clamp6(x.value), x.error};
    case SCARLET__HSWISH6: /* its slope is at most 9; x + 3 and the product are rounded */
        y = x.value * clamp6(x.value + 3);
        return (approximate){
            y, isfinite(y) ? 9 * x.error + U * fabs(x.value) * (fabs(x.value) + 10) + TINY : 0};
    default:
        return x;
    }
}

bool agrees(float found, approximate expected)
{
    if (isnan(expected.value))
        return isnan(found);
    if (isinf(expected.value))
        return (double)found == expected.value;
    return fabs((double)found - expected.value) <= expected.error;
}

void check_total(size_t channel, float found, const sum *outputs, double error)
{
    approximate expected = sum_result(outputs);
    expected.error += error;
    if (!agrees(found, expected))
        check_fail("sum of channel %zu: %.9g instead of %.9g +- %.2g", channel, (double)found,
                   expected.value, expected.error);
}
