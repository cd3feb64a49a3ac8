#include "engine/kernels/kernels.h"

#include <pthread.h>

#include "scarlet/scarlet.h"

#define FILL(suffix, file) void scarlet__fill_##file##_##suffix(scarlet__kernels *);
#include "engine/kernels/sets.h"

enum {
#define SET(suffix, isa, vector) INDEX_##suffix,
#include "engine/kernels/sets.h"
    SETS
};

static scarlet__kernels table[SETS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void)
{
#define SET(suffix, isa_, vector_)                                                                 \
    if (INDEX_##suffix > 0)                                                                        \
        table[INDEX_##suffix] = table[INDEX_##suffix - 1];                                         \
    table[INDEX_##suffix].isa = isa_;                                                              \
    table[INDEX_##suffix].vector = vector_;
#define FILL(suffix, file) scarlet__fill_##file##_##suffix(&table[INDEX_##suffix]);
#include "engine/kernels/sets.h"
}

const scarlet__kernels *scarlet__kernels_for(int isa)
{
    pthread_once(&once, fill);
    int i = SETS - 1;
    while (i > 0 && table[i].isa > isa)
        i--;
    return &table[i];
}
