#include "common/finite.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 4096 };

static uint32_t not_finite(const float *x)
{
    const uint32_t exponent = 0x7F800000;
    uint32_t bits;
    memcpy(&bits, x, sizeof bits);
    return (bits & exponent) == exponent;
}

size_t scarlet__first_not_finite(const float *x, size_t n)
{
    for (size_t from = 0; from < n; from += BLOCK) {
        size_t end = n - from < BLOCK ? n : from + BLOCK;
        uint32_t bad = 0; /* without an early exit, so that the loop is vectorised */
        for (size_t i = from; i < end; i++)
            bad |= not_finite(&x[i]);
        for (size_t i = from; bad && i < end; i++)
            if (not_finite(&x[i]))
                return i;
    }
    return n;
}
