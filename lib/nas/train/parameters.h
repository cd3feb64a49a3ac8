/*
 * The tensors of a network in the layout that units train: one flat array of parameters and one of
 * statistics, channels in planes of 16. The only place that knows how they map to the release's
 * names and shapes.
 */
#ifndef SCARLET_NAS_TRAIN_PARAMETERS_H
#define SCARLET_NAS_TRAIN_PARAMETERS_H

#include "formats/tensors.h"
#include "network/network.h"

typedef enum scarlet__parameter_layout {
    SCARLET__STORE_VECTOR,    /* [c] as [plane][16] */
    SCARLET__STORE_DENSE,     /* [out][in] as [plane of out][in, whole planes][16] */
    SCARLET__STORE_DEPTHWISE, /* [c][1][k][k] as [plane][k * k][16] */
    SCARLET__STORE_STEM,      /* [out][3][3][3] as dense with inputs [ky][kx][3] */
} scarlet__parameter_layout;

typedef struct scarlet__parameter {
    char name[80]; /* as in the release */
    scarlet__role role;
    int layer; /* of the network */
    int rank;
    int64_t shape[4];
    int64_t count; /* of elements */
    scarlet__parameter_layout storage;
    size_t offset; /* into the parameters, or the statistics if it is one */
    size_t floats; /* that it takes there, with padding that stays 0 */
} scarlet__parameter;

typedef struct scarlet__parameters {
    scarlet__parameter *item; /* in the release's order */
    size_t count;
    size_t trained, statistics; /* floats of the two arrays */
} scarlet__parameters;

/* False if out of memory. Free also then. */
bool scarlet__parameters_list(const scarlet__network *network, scarlet__parameters *out);
void scarlet__parameters_free(scarlet__parameters *parameters);

static inline bool scarlet__is_statistic(const scarlet__parameter *parameter)
{
    return parameter->role == SCARLET__MEAN || parameter->role == SCARLET__VARIANCE;
}
/* Where element `index`, row-major, is from the tensor's first float on. */
size_t scarlet__parameter_place(const scarlet__parameter *parameter, int64_t index);

/* What a tensor begins a training with: He's random weights, a classifier near 0; batch norm at 1
 * and 0, running statistics at 0 and 1. `index` tells the sequence of random numbers. */
void scarlet__parameter_initialise(const scarlet__parameter *parameter, uint64_t seed, size_t index,
                                   float *out);
/* Reads a tensor of that name and the parameter's shape. Errors: MODEL (it is missing or has
 * another shape), CORRUPT (a value is not finite), IO. */
scarlet_status scarlet__parameter_load(const scarlet__parameter *parameter,
                                       const scarlet__tensors *tensors, const char *name,
                                       float *out, scarlet_error *err);

#endif
