/* Published networks with the skeleton of SCARLET, and how other projects name their tensors. */
#ifndef SCARLET_NETWORK_ARCHITECTURES_H
#define SCARLET_NETWORK_ARCHITECTURES_H

#include "network/space.h"
#include "network/style.h"

enum {
    SCARLET__BLOCK_MODULES =
        6,               /* convolution and batch norm of an inverted residual's three parts */
    SCARLET__NAMINGS = 2 /* of a network, at most */
};

/* Names of modules: a tensor's name without its last part, such as ".weight". */
typedef struct scarlet__naming {
    const char *stem[2];      /* convolution, batch norm */
    const char *separable[4]; /* depthwise, batch norm, 1x1, batch norm */
    const char *block;        /* before the block's number, a dot and the module */
    int first;                /* number of the first block, or of its stage */
    /* Blocks of each stage, digits: then a block's number is that of its stage, a dot, and one from
     * 0. NULL: there are no stages. */
    const char *stages;
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
    const scarlet__naming *naming[SCARLET__NAMINGS]; /* of published checkpoints; NULL: no more */
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
