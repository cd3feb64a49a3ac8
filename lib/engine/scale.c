#include "engine/scale.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/cpu.h"

static inline float scaled(double weight, double factor)
{
    float y = (float)(weight * factor);
    return fabsf(y) < 0x1p-126f ? 0.0f : y;
}

float scarlet__scaled(double weight, double factor)
{
    return scaled(weight, factor);
}

/* Plain C that the compiler vectorises for the target of the function around it. */
__attribute__((always_inline)) static inline bool scale_rows(float *weight, size_t rows,
                                                             size_t columns, const double *factor)
{
    uint32_t bad = 0; /* its highest bit: an exponent of ones, and 1, carries into the sign */
    for (size_t i = 0; i < rows; i++, weight += columns)
        for (size_t j = 0; j < columns; j++) {
            float y = scaled(weight[j], factor[i]);
            uint32_t bits;
            memcpy(&bits, &y, sizeof bits);
            bad |= (bits & 0x7FFFFFFF) + 0x00800000;
            weight[j] = y;
        }
    return bad >> 31 == 0;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static bool scale_rows_avx2(float *weight, size_t rows,
                                                            size_t columns, const double *factor)
{
    return scale_rows(weight, rows, columns, factor);
}
#endif

bool scarlet__scale_rows(float *weight, size_t rows, size_t columns, const double *factor)
{
#if defined(__x86_64__)
    if (scarlet__cpu_isa(SCARLET_ISA_ANY) >= SCARLET_ISA_AVX2)
        return scale_rows_avx2(weight, rows, columns, factor);
#endif
    return scale_rows(weight, rows, columns, factor);
}
