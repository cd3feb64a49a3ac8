#include <pthread.h>

#include "nas/units/kernels/kernels.h"
#include "scarlet/scarlet.h"

#define SET(suffix, isa)                                                                           \
    void scarlet__fill_training_dense_##suffix(scarlet__training_kernels *);                       \
    void scarlet__fill_training_depthwise_##suffix(scarlet__training_kernels *);                   \
    void scarlet__fill_training_elementwise_##suffix(scarlet__training_kernels *);
#include "nas/units/kernels/sets.h"

enum {
#define SET(suffix, isa) INDEX_##suffix,
#include "nas/units/kernels/sets.h"
    SETS
};

static scarlet__training_kernels table[SETS];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void)
{
#define SET(suffix, isa_)                                                                          \
    table[INDEX_##suffix].isa = isa_;                                                              \
    scarlet__fill_training_dense_##suffix(&table[INDEX_##suffix]);                                 \
    scarlet__fill_training_depthwise_##suffix(&table[INDEX_##suffix]);                             \
    scarlet__fill_training_elementwise_##suffix(&table[INDEX_##suffix]);
#include "nas/units/kernels/sets.h"
}

const scarlet__training_kernels *scarlet__training_kernels_for(int isa)
{
    pthread_once(&once, fill);
    int i = SETS - 1;
    while (i > 0 && table[i].isa > isa)
        i--;
    return &table[i];
}
