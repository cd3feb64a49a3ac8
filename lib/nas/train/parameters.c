#include "nas/train/parameters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/finite.h"
#include "common/memory.h"
#include "nas/data/random.h"
#include "nas/real.h"
#include "nas/units/dense.h"

static scarlet__parameter_layout storage(const scarlet__layer *layer, int rank,
                                         const int64_t *shape)
{
    if (rank == 1)
        return SCARLET__STORE_VECTOR;
    if (rank == 2 || shape[2] == 1)
        return SCARLET__STORE_DENSE;
    return layer->kind == SCARLET_LAYER_STEM ? SCARLET__STORE_STEM : SCARLET__STORE_DEPTHWISE;
}

static size_t floats(const scarlet__parameter *p)
{
    const size_t planes = (size_t)scarlet__planes((int)p->shape[0]);
    switch (p->storage) {
    case SCARLET__STORE_DENSE:
        return planes * scarlet__dense_plane((int)p->shape[1]);
    case SCARLET__STORE_STEM:
        return planes * scarlet__dense_plane(SCARLET__PATCH);
    case SCARLET__STORE_DEPTHWISE:
        return planes * (size_t)(p->shape[2] * p->shape[3]) * SCARLET__LANES;
    default:
        return planes * SCARLET__LANES;
    }
}

typedef struct {
    scarlet__parameters *out;
    const scarlet__network *network;
    int layer;
    size_t capacity;
} listing;

static bool add(void *user, const char *name, scarlet__role role, int rank, const int64_t *shape)
{
    listing *l = user;
    scarlet__parameters *out = l->out;
    if (out->count == l->capacity &&
        !scarlet__grow((void **)&out->item, &l->capacity, out->count, sizeof *out->item, SIZE_MAX))
        return false;
    scarlet__parameter *p = &out->item[out->count++];
    *p = (scarlet__parameter){.role = role, .layer = l->layer, .rank = rank, .count = 1};
    snprintf(p->name, sizeof p->name, "%s", name);
    for (int i = 0; i < rank; i++) {
        p->shape[i] = shape[i];
        p->count *= shape[i];
    }
    p->storage = storage(&l->network->layer[l->layer], rank, shape);
    p->floats = floats(p);
    size_t *end = scarlet__is_statistic(p) ? &out->statistics : &out->trained;
    p->offset = *end;
    *end += p->floats;
    return true;
}

bool scarlet__parameters_list(const scarlet__network *network, scarlet__parameters *out)
{
    *out = (scarlet__parameters){0};
    listing l = {.out = out, .network = network};
    for (; l.layer < network->count; l.layer++)
        if (!scarlet__layer_visit(&network->layer[l.layer], add, &l))
            return false;
    return true;
}

void scarlet__parameters_free(scarlet__parameters *parameters)
{
    scarlet__free(parameters->item);
    *parameters = (scarlet__parameters){0};
}

/* Place of weight (out, in) among whole planes of `channels` inputs. */
static size_t dense_place(size_t out, size_t in, int channels)
{
    return out / SCARLET__LANES * scarlet__dense_plane(channels) + in * SCARLET__LANES +
           out % SCARLET__LANES;
}

size_t scarlet__parameter_place(const scarlet__parameter *p, int64_t index)
{
    const size_t i = (size_t)index;
    switch (p->storage) {
    case SCARLET__STORE_DENSE:
        return dense_place(i / (size_t)p->shape[1], i % (size_t)p->shape[1], (int)p->shape[1]);
    case SCARLET__STORE_STEM: {
        const size_t channel = i / 9 % 3, tap = i % 9;
        return dense_place(i / SCARLET__PATCH, tap * 3 + channel, SCARLET__PATCH);
    }
    case SCARLET__STORE_DEPTHWISE: {
        const size_t taps = (size_t)(p->shape[2] * p->shape[3]), channel = i / taps;
        return channel / SCARLET__LANES * taps * SCARLET__LANES + i % taps * SCARLET__LANES +
               channel % SCARLET__LANES;
    }
    default:
        return i;
    }
}

/* ---- values ---- */

/* Of the normal distribution, by Box and Muller. */
static double normal(scarlet__random *random)
{
    const double u = 1 - scarlet__random_unit(random), v = scarlet__random_unit(random);
    return sqrt(-2 * scarlet__real_log(u)) * scarlet__real_cos_pi(v);
}

/* He's deviation by the values that a weight's input reaches; the classifier begins near 0. */
static double deviation(const scarlet__parameter *p)
{
    if (p->rank == 2)
        return 0.01;
    const int64_t outs = p->storage == SCARLET__STORE_DEPTHWISE ? 1 : p->shape[0];
    return sqrt(2 / (double)(outs * p->shape[2] * p->shape[3]));
}

void scarlet__parameter_initialise(const scarlet__parameter *p, uint64_t seed, size_t index,
                                   float *out)
{
    const bool one = p->role == SCARLET__GAMMA || p->role == SCARLET__VARIANCE;
    const double width = p->role == SCARLET__WEIGHT ? deviation(p) : 0;
    scarlet__random random = scarlet__random_at(seed, SCARLET__RANDOM_INITIAL, 0, index);
    for (int64_t i = 0; i < p->count; i++)
        out[scarlet__parameter_place(p, i)] = width > 0 ? (float)(width * normal(&random))
                                              : one     ? 1
                                                        : 0;
}

scarlet_status scarlet__parameter_load(const scarlet__parameter *p, const scarlet__tensors *tensors,
                                       const char *name, float *out, scarlet_error *err)
{
    enum { AT_ONCE = 1024 };
    const scarlet__tensor *from = scarlet__tensors_find(tensors, name);
    if (!from || from->rank != p->rank ||
        memcmp(from->shape, p->shape, (size_t)p->rank * sizeof *p->shape) != 0)
        return scarlet__fail(err, SCARLET_ERROR_MODEL, "%s: %s %s", tensors->source->name, name,
                             from ? "has another shape" : "is missing");
    float values[AT_ONCE];
    for (int64_t i = 0, n; i < p->count; i += n) {
        n = p->count - i < AT_ONCE ? p->count - i : AT_ONCE;
        scarlet_status status =
            scarlet__tensor_read_f32(tensors, from, (uint64_t)i, (size_t)n, values, err);
        if (status != SCARLET_OK)
            return status;
        if (scarlet__first_not_finite(values, (size_t)n) < (size_t)n)
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                 "%s: %s has a value that is not finite", tensors->source->name,
                                 name);
        for (int64_t j = 0; j < n; j++)
            out[scarlet__parameter_place(p, i + j)] = values[j];
    }
    return SCARLET_OK;
}
