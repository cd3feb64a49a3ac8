#include "nas/search/random_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/safetensors_write.h"
#include "nas/data/random.h"

enum { NAME_SIZE = 64 };

typedef struct model {
    scarlet__entry *entry; /* NULL: they are only counted */
    scarlet__role *role;
    char (*name)[NAME_SIZE];
    size_t count;
    scarlet__random random;
} model;

static bool add(void *user, const char *name, scarlet__role role, int rank, const int64_t *shape)
{
    model *m = user;
    size_t i = m->count++;
    if (!m->entry)
        return true;
    snprintf(m->name[i], NAME_SIZE, "%s", name);
    m->role[i] = role;
    m->entry[i] = (scarlet__entry){.name = m->name[i], .dtype = SCARLET__F32, .rank = rank};
    memcpy(m->entry[i].shape, shape, (size_t)rank * sizeof *shape);
    return true;
}

/* Weights are uniform, such that the sum over an output's inputs has a variance of 1. */
static scarlet_status elements(void *user, size_t index, uint64_t first, size_t count, void *out,
                               scarlet_error *err)
{
    model *m = user;
    const scarlet__entry *e = &m->entry[index];
    float *values = out, half = 0;
    (void)first, (void)err;
    if (m->role[index] == SCARLET__WEIGHT) {
        int64_t inputs = 1;
        for (int i = 1; i < e->rank; i++)
            inputs *= e->shape[i];
        half = (float)sqrt(3.0 / (double)inputs);
    }
    bool one = m->role[index] == SCARLET__GAMMA || m->role[index] == SCARLET__VARIANCE;
    for (size_t i = 0; i < count; i++) {
        int32_t bits = half != 0 ? (int32_t)(uint32_t)scarlet__random_bits(&m->random) : 0;
        values[i] = one ? 1 : half * (float)bits * 0x1p-31f;
    }
    return SCARLET_OK;
}

static void visit(const scarlet__network *network, model *m)
{
    m->count = 0;
    for (int i = 0; i < network->count; i++)
        scarlet__layer_visit(&network->layer[i], add, m);
}

scarlet_status scarlet__random_model(const scarlet__network *network, const char *space,
                                     scarlet__output *file, scarlet_error *err)
{
    static const char *const key[] = {"scarlet.space"};
    model m = {.random = scarlet__random_at(0, SCARLET__RANDOM_SAMPLE, 0, 0)};
    visit(network, &m);
    m.role = scarlet__alloc(m.count, sizeof *m.role);
    m.name = scarlet__alloc(m.count, sizeof *m.name);
    m.entry = scarlet__alloc(m.count, sizeof *m.entry);
    scarlet_status status = m.role && m.name && m.entry ? SCARLET_OK : scarlet__fail_memory(err);
    if (status == SCARLET_OK) {
        visit(network, &m);
        const scarlet__contents contents = {.key = key,
                                            .value = &space,
                                            .metadata_count = 1,
                                            .entry = m.entry,
                                            .count = m.count,
                                            .elements = elements,
                                            .user = &m};
        status = scarlet__safetensors_put(file, "memory", &contents, err);
    }
    scarlet__free(m.entry);
    scarlet__free(m.name);
    scarlet__free(m.role);
    return status;
}
