/* Sizes that both executors need. */
#ifndef SCARLET_ENGINE_GEOMETRY_H
#define SCARLET_ENGINE_GEOMETRY_H

#include "engine/kernels/kernels.h"
#include "engine/pack.h"
#include "network/network.h"

static inline size_t scarlet__square(int side)
{
    return (size_t)side * (size_t)side;
}

static inline size_t scarlet__max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Pixels of a padded row for a layer's depthwise convolution: padding, input, and what the last
 * tile reads past its end. */
static inline size_t scarlet__ring_width(const scarlet__layer *layer, int side, int out_side)
{
    size_t kernel = (size_t)layer->kernel;
    size_t tiles = scarlet__round_up((size_t)out_side, SCARLET__TILE);
    return scarlet__max((tiles - 1) * (size_t)layer->stride + kernel, (size_t)side + kernel - 1);
}

#endif
