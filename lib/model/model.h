/* A loaded model as sessions see it. */
#ifndef SCARLET_MODEL_MODEL_H
#define SCARLET_MODEL_MODEL_H

#include <stdatomic.h>

#include "engine/engine.h"
#include "network/metadata.h"

struct scarlet_model {
    atomic_int references; /* the caller's and one for each session */
    scarlet__network network;
    scarlet__metadata metadata;
    scarlet_labels *imagenet; /* for a file without names, else NULL */
    int file_kind;
    char taken[sizeof((scarlet__tensors *)0)->taken]; /* where in a torch file the weights were */
    int precision;
    const scarlet__engine *engine;
    const scarlet__kernels *kernels;
    void *weights;
    size_t weight_bytes;
};

void scarlet__model_retain(scarlet_model *model);
/* Side of the input without a session's option: the file's, else 224. */
int scarlet__model_side(const scarlet_model *model);

#endif
