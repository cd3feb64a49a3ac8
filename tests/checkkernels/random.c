#include <math.h>

#include "check.h"

static uint64_t state;

void random_seed(uint64_t seed)
{
    state = seed;
}

/* splitmix64 */
static uint64_t next(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

size_t random_below(size_t limit)
{
    return (size_t)(next() % limit);
}

size_t random_between(size_t low, size_t high)
{
    return low + random_below(high - low + 1);
}

void random_fill(float *at, size_t count, values kind, float scale)
{
    static const float special[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f};
    for (size_t i = 0; i < count; i++) {
        float x = ((float)(next() >> 40) * 0x1p-23f - 1) * scale;
        if (kind == DENORMAL && random_below(2))
            x *= 0x1p-126f;
        if (kind == SPECIAL && random_below(64) == 0)
            x = special[random_below(sizeof special / sizeof *special)];
        at[i] = x;
    }
}
