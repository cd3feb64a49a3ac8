/* Weights times a factor: the bits of one value after the other, denormals, what is not finite. */
#include "engine/scale.h"

#include <math.h>

#include "test.h"

/* Any finite number: most exponents end near 0, a few results are denormal. */
static float number(void)
{
    uint32_t bits =
        test_draw() % 8 ? (test_draw() & 0x807FFFFF) | (100 + test_draw() % 40) << 23 : test_draw();
    float x;
    memcpy(&x, &bits, sizeof x);
    return isfinite(x) ? x : 1;
}

int main(void)
{
    enum { ROWS = 5, COLUMNS = 70 };
    static const float SPOILT[] = {INFINITY, -INFINITY, NAN};
    int denormal = 0;
    for (int n = 0; n < 2000; n++) {
        size_t rows = 1 + test_draw() % ROWS, columns = 1 + test_draw() % COLUMNS,
               count = rows * columns;
        float weight[ROWS * COLUMNS + 1], expected[ROWS * COLUMNS + 1];
        double factor[ROWS];
        int finite = 1;
        for (size_t i = 0; i < rows; i++)
            factor[i] = n % 4 ? (double)number() : 1e-38;
        for (size_t i = 0; i <= count; i++)
            weight[i] = number();
        if (n % 3 == 0)
            weight[test_draw() % count] = SPOILT[test_draw() % 3];
        for (size_t i = 0; i < count; i++) {
            double exact = (double)weight[i] * factor[i / columns];
            expected[i] = scarlet__scaled((double)weight[i], factor[i / columns]);
            if (fabs(exact) < 0x1p-127) {
                CHECK(expected[i] == 0);
                denormal += exact != 0;
            } else if (fabs(exact) > 0x1p-125) {
                CHECK(expected[i] == (float)exact || isnan(exact));
            }
            finite &= !!isfinite(expected[i]);
        }
        expected[count] = weight[count];
        CHECK(scarlet__scale_rows(weight, rows, columns, factor) == finite);
        for (size_t i = 0; i <= count; i++)
            CHECK(memcmp(&weight[i], &expected[i], sizeof weight[i]) == 0 || isnan(expected[i]));
    }
    CHECK(denormal > 1000);
    return test_result();
}
