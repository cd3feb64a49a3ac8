/*
 * Which weights the choices of a layer share. Those that do read parts of one block, the smallest
 * that holds them all: the leading channels of its expansion, the centre of its depthwise
 * convolution. That block need not be a choice itself.
 */
#ifndef SCARLET_NAS_SUPERNET_SHARE_H
#define SCARLET_NAS_SUPERNET_SHARE_H

#include "nas/supernet/spaces.h"
#include "nas/train/parameters.h"

/* The block whose weights choice `index`, which is none of the identity, reads. */
scarlet__choice scarlet__share_block(const scarlet__choices *layer, int index, scarlet_share share);

/* Floats of a choice, and where they are among those of the block. */
typedef struct scarlet__run {
    uint32_t at, in_block, count;
} scarlet__run;

typedef struct scarlet__runs {
    scarlet__run *run;
    size_t count, capacity;
} scarlet__runs;

/* Adds the runs of one tensor; both have the offsets that runs count from. Padding is in none.
 * False if out of memory. */
bool scarlet__share_map(const scarlet__parameter *choice, const scarlet__parameter *block,
                        scarlet__runs *out);

#endif
