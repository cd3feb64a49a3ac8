#include "common/memory.h"
#include "fuzz.h"

static unsigned left;

static bool gate(size_t size)
{
    (void)size;
    return left == 0 || --left != 0;
}

void fuzz_starve(unsigned n)
{
    left = n;
    scarlet__alloc_gate = gate;
}

unsigned fuzz_pick(const uint8_t *data, size_t size, unsigned limit)
{
    unsigned sum = (unsigned)size;
    for (size_t i = size > 8 ? size - 8 : 0; i < size; i++)
        sum += data[i];
    return sum % limit + 1;
}
