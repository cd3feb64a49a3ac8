/* A network as a chain of units, and one micro-batch's way through it. */
#ifndef SCARLET_NAS_TRAIN_GRAPH_H
#define SCARLET_NAS_TRAIN_GRAPH_H

#include "nas/train/parameters.h"
#include "nas/units/unit.h"

/* Where a unit's offsets begin, in each array of the pass. */
typedef struct scarlet__base {
    size_t parameters, gradients, running, statistics;
} scarlet__base;

typedef struct scarlet__graph {
    int pictures, side, classes;
    int count;
    int first; /* unit that trains or has one that does before it; those before it are frozen */
    scarlet__unit unit[SCARLET__NETWORK_LAYERS_MAX];
    int layer[SCARLET__NETWORK_LAYERS_MAX]; /* of the network: each unit's, the stem's part aside */
    scarlet__base base[SCARLET__NETWORK_LAYERS_MAX]; /* 0 unless units come from a supernet */
    scarlet__scratch_sizes sizes;
} scarlet__graph;

/* Units of micro-batches of `pictures` of `side` pixels; the batch norms of the first
 * `frozen_layers` layers of the network use running statistics. */
void scarlet__graph_build(const scarlet__network *network, const scarlet__parameters *parameters,
                          int side, int pictures, int frozen_layers, scarlet__graph *out);

/* Fewest values that a batch norm of the graph takes statistics of. */
int64_t scarlet__graph_fewest(const scarlet__graph *graph);

/* Floats of a unit's y. */
size_t scarlet__graph_output(const scarlet__unit *unit, int pictures);

/* Memory of one passage; of one thread at a time. */
typedef struct scarlet__passage {
    float *pictures; /* [picture][side][side][3]: what the caller fills */
    float *targets;  /* [picture][classes], too */
    float *drop;     /* [plane][picture][16] of features: what they are multiplied by; NULL: 1 */
    float *x[SCARLET__NETWORK_LAYERS_MAX + 1]; /* of each unit, and the logits */
    float *kept[SCARLET__NETWORK_LAYERS_MAX];
    float *gradient[2]; /* of the present unit's y and x */
    scarlet__pass pass; /* but kernels, parameters, running: the caller's */
} scarlet__passage;

/* Carves it; with `drop` with room for that. */
void scarlet__passage_carve(const scarlet__graph *graph, bool drop, scarlet__carver *arena,
                            scarlet__passage *out);

/* After a run: the first unit whose output is not finite; graph->count if none. */
int scarlet__graph_first_not_finite(const scarlet__graph *graph, const scarlet__passage *passage);

/* Sets x of all units and, after the last, the logits. */
void scarlet__graph_forward(const scarlet__graph *graph, scarlet__passage *passage);
/*
 * Forward, loss and backward. Adds to pass.gradients the gradients of `factor` times the loss, sets
 * pass.statistics; returns the loss summed over the pictures.
 */
double scarlet__graph_run(const scarlet__graph *graph, scarlet__passage *passage, float factor);

#endif
