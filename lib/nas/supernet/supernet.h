/*
 * What a supernet is made of: a part for each choice of each layer, and the parts that all paths
 * have in common. A path is a chain of parts. Weights are in banks: one for each part, or for
 * several parts that share them.
 */
#ifndef SCARLET_NAS_SUPERNET_SUPERNET_H
#define SCARLET_NAS_SUPERNET_SUPERNET_H

#include "nas/supernet/share.h"
#include "nas/train/graph.h"

typedef struct scarlet__bank {
    bool let, shared;
    size_t first, count; /* of its tensors */
    size_t offset;       /* of its weights in the supernet's */
    size_t floats;
} scarlet__bank;

/* Parts in order: the entry, the choices of each layer, the tail, the classifier. */
typedef struct scarlet__part {
    int slot;           /* 0: the entry, then the layers, the tail, the classifier */
    bool empty;         /* an identity: no unit, no weights */
    scarlet__unit unit; /* its offsets count from the part's first float */
    int bank;
    scarlet__runs runs; /* of the part's floats in a shared bank; in another they are the bank's */
    size_t floats;
    size_t statistics; /* floats of running statistics, which the supernet does not keep */
} scarlet__part;

typedef struct scarlet__supernet {
    const scarlet_space *space;
    bool let; /* identities are LETs */
    scarlet_share share;
    scarlet__part *part;
    int parts, layer[SCARLET__SPACE_LAYERS_MAX]; /* part of a layer's first choice */
    scarlet__bank *bank;
    int banks;
    scarlet__parameter *tensor; /* of all banks; offsets count from the bank's first float */
    size_t tensors;
    size_t floats;          /* of all weights */
    size_t path_floats;     /* most of a path */
    size_t path_statistics; /* likewise */
} scarlet__supernet;

/* The space must outlive it. MEMORY. Free also after a failure. */
scarlet_status scarlet__supernet_make(const scarlet_space *space, bool let, scarlet_share share,
                                      scarlet__supernet *out, scarlet_error *err);
void scarlet__supernet_free(scarlet__supernet *supernet);

/* The parts that a path is made of, in order; returns their number. */
int scarlet__supernet_parts(const scarlet__supernet *supernet, const scarlet__path *path,
                            int part[SCARLET__NETWORK_LAYERS_MAX]);

/* Copies a part's weights from the supernet's, in the layout of its unit. */
void scarlet__part_read(const scarlet__supernet *supernet, const float *weights,
                        const scarlet__part *part, float *out);

/* The matrix of a LET, [n][n]; NULL if out of memory. Free with scarlet__free. */
double *scarlet__part_matrix(const scarlet__supernet *supernet, const float *weights,
                             const scarlet__part *part);

/* Memory to run any path with; of one thread at a time. */
typedef struct scarlet__track {
    int pictures;
    struct {
        float *kept[SCARLET__NETWORK_LAYERS_MAX], *x[SCARLET__NETWORK_LAYERS_MAX];
    } slot; /* of each slot, what its largest part needs */
    float *gradient[2];
    scarlet__pass_scratch scratch;
    float *gradients, *statistics, *running; /* of the path at hand, its parts one after another */
    float *weights; /* likewise; NULL: no weights are shared, and they are read in their place */
    scarlet__scratch_sizes sizes;
    /* The path at hand. */
    int part[SCARLET__NETWORK_LAYERS_MAX], parts;
    scarlet__graph graph;
    scarlet__passage passage;
} scarlet__track;

/* Carves what batches of `pictures` need; with `backward` what training does. The pictures and
 * targets are the caller's: passage.x[0] and passage.targets. */
void scarlet__track_carve(const scarlet__supernet *supernet, int pictures, bool backward,
                          scarlet__carver *arena, scarlet__track *out);
/* Lays the track out for a path; pass.running, .running_only and .kernels are the caller's. */
void scarlet__track_take(const scarlet__supernet *supernet, const float *weights,
                         const scarlet__path *path, scarlet__track *track);

#endif
