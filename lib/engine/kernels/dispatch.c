#include "engine/kernels/kernels.h"

#include <pthread.h>

#include "scarlet/scarlet.h"

#define SET(suffix, isa, vector)                                                                   \
    void scarlet__fill_depthwise_##suffix(scarlet__kernels *);                                     \
    void scarlet__fill_elementwise_##suffix(scarlet__kernels *);                                   \
    void scarlet__fill_gemm_##suffix(scarlet__kernels *);
#include "engine/kernels/sets.h"

enum {
#define SET(suffix, isa, vector) INDEX_##suffix,
#include "engine/kernels/sets.h"
    SETS
};

static scarlet__kernels table[SETS] = {
#define SET(suffix, isa_, vector_) {.isa = isa_, .vector = vector_},
#include "engine/kernels/sets.h"
};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void)
{
#define SET(suffix, isa, vector)                                                                   \
    scarlet__fill_depthwise_##suffix(&table[INDEX_##suffix]);                                      \
    scarlet__fill_elementwise_##suffix(&table[INDEX_##suffix]);                                    \
    scarlet__fill_gemm_##suffix(&table[INDEX_##suffix]);
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
