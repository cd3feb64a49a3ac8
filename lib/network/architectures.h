/* Published networks with the skeleton of SCARLET, and how other projects name their tensors. */
#ifndef SCARLET_NETWORK_ARCHITECTURES_H
#define SCARLET_NETWORK_ARCHITECTURES_H

#include "network/space.h"
#include "network/style.h"

/* The modules of an inverted residual: convolution and batch norm of its three parts. */
enum { SCARLET__BLOCK_MODULES = 6 };

/* Names of modules: a tensor's name without its last part, such as ".weight". */
typedef struct scarlet__naming {
    const char *stem[2];                        /* convolution, batch norm */
    const char *separable[4];                   /* depthwise, batch norm, 1x1, batch norm */
    const char *block;                          /* with %d for the block's number, and a dot */
    int first;                                  /* number of the first block */
    const char *module[SCARLET__BLOCK_MODULES]; /* of a block */
    const char *tail[2];
    const char *classifier;
} scarlet__naming;

/* That of the authors of SCARLET. */
extern const scarlet__naming scarlet__naming_own;

typedef struct scarlet__architecture {
    const char *name;
    const char *space, *style; /* as the metadata keys scarlet.space and scarlet.network */
    const char *genotype;
    const scarlet__naming *naming; /* of its published checkpoints */
    /* How it was trained, as the metadata keys scarlet.input_size, resize, mean and std. NULL: as
     * is said where a file says nothing. */
    const char *input_size, *resize, *mean, *std;
} scarlet__architecture;

/* Number `i` of the table; NULL after the last. */
const scarlet__architecture *scarlet__architecture_at(size_t i);
/* Name of the network, static; NULL if it is none of the table. */
const char *scarlet__architecture_name(const scarlet__space *space, const scarlet__style *style,
                                       const char *genotype);

#endif
