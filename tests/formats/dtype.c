/* Half precision: every half, every border between two, under every state of the FPU. */
#include <fenv.h>
#include <math.h>
#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

#include "formats/tensors.h"
#include "test.h"

static uint32_t bits(float value)
{
    uint32_t u;
    memcpy(&u, &value, sizeof u);
    return u;
}

static float value_of(uint32_t u)
{
    float value;
    memcpy(&value, &u, sizeof value);
    return value;
}

/* By the definition: (-1)^s * m * 2^e. Computed before the FPU's state is touched. */
static float expected[65536];

static void define(void)
{
    for (uint32_t h = 0; h < 65536; h++) {
        int exponent = h >> 10 & 31, mantissa = h & 1023;
        double v = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25);
        if (exponent == 31)
            v = mantissa ? (double)NAN : (double)INFINITY;
        expected[h] = (float)(h & 0x8000 ? -v : v);
    }
}

static void every_half(void)
{
    int wrong = 0;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = scarlet__f16_to_f32((uint16_t)h);
        if ((h & 0x7FFF) > 0x7C00) { /* NaN stays NaN and keeps its sign */
            uint16_t back = scarlet__f32_to_f16(f);
            wrong += !((bits(f) & 0x7FFFFFFF) > 0x7F800000) || (bits(f) >> 31) != h >> 15 ||
                     (back & 0x7FFF) <= 0x7C00 || back >> 15 != h >> 15;
        } else {
            wrong += bits(f) != bits(expected[h]) || scarlet__f32_to_f16(f) != h;
        }
    }
    CHECK(wrong == 0);
}

/* Between two neighbours: the middle goes to the even one, the floats beside it to the nearer. */
static void every_border(void)
{
    int wrong = 0;
    for (uint16_t h = 0; h < 0x7C00; h++) {
        /* Both sides are normal floats, so their middle is exact; 65536 takes the place of
         * infinity. */
        uint32_t low = bits(expected[h]),
                 high = h + 1 < 0x7C00 ? bits(expected[h + 1]) : 0x47800000;
        uint32_t middle = h == 0      ? 0x33000000
                          : h < 0x400 ? bits((float)(2 * h + 1) * 0x1p-25f)
                                      : low + (high - low) / 2;
        uint16_t even = h & 1 ? (uint16_t)(h + 1) : h;
        for (uint32_t sign = 0; sign <= 0x80000000; sign += 0x80000000) {
            uint16_t s = (uint16_t)(sign >> 16);
            wrong += scarlet__f32_to_f16(value_of(sign | middle)) != (even | s);
            wrong += scarlet__f32_to_f16(value_of(sign | (middle - 1))) != (h | s);
            wrong += scarlet__f32_to_f16(value_of(sign | (middle + 1))) != ((h + 1) | s);
            if (sign)
                break;
        }
    }
    wrong += scarlet__f32_to_f16(value_of(1)) != 0; /* denormal floats */
    wrong += scarlet__f32_to_f16(value_of(0x807FFFFF)) != 0x8000;
    wrong += scarlet__f32_to_f16(INFINITY) != 0x7C00;
    CHECK(wrong == 0);
}

int main(void)
{
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    define();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        fesetround(modes[i]);
        every_half();
        every_border();
    }
    fesetround(FE_TONEAREST);
#if defined(__SSE2__)
    _mm_setcsr(_mm_getcsr() | 0x8040); /* flush denormals, results and operands */
    every_half();
    every_border();
#endif
    CHECK_TEXT(scarlet__dtype_name(SCARLET__BF16), "BF16");
    CHECK(scarlet__dtype_size(SCARLET__F64) == 8 && scarlet__dtype_size(SCARLET__BOOL) == 1);
    return test_result();
}
