/* A classifier on top of a network whose layers stay as they are. */
#ifndef SCARLET_NAS_TRAIN_HEAD_H
#define SCARLET_NAS_TRAIN_HEAD_H

#include "formats/tensors.h"
#include "nas/data/dataset.h"
#include "network/metadata.h"
#include "network/network.h"

struct scarlet_head {
    size_t features;
    int32_t classes;
    char **name; /* NULL: none */
    float *x;    /* count x features */
    int32_t *label;
    size_t count, room;
    float *weight, *bias; /* classes x features, classes */
    bool fitted;
};

/* Room for so many vectors, which the caller then writes to x and label. */
scarlet_status scarlet__head_reserve(scarlet_head *head, size_t count, scarlet_error *err);

/* A checkpoint with the fitted classifier in place of its own, to an open output. */
typedef struct scarlet__head_file {
    const scarlet_head *head;
    const scarlet__tensors *base;
    const scarlet__network *network; /* that of base */
    const scarlet__metadata_text *metadata;
    bool half;
} scarlet__head_file;
scarlet_status scarlet__head_put(const scarlet__head_file *file, scarlet__output *output,
                                 const char *name, scarlet_error *err);

#endif
