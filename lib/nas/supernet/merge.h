/*
 * Merging LETs into the blocks around them, exactly in evaluation form.
 *
 * A block is y = [x +] P f(E x) + b with batch norm folded. The map between two blocks without a
 * residual may be written in any basis T: blocks that read it get E T^-1, those that write it T P
 * and T b. A LET after a block without residual goes into that block's P, one before such a block
 * into that one's E; between residual blocks a basis before it and another after it absorb it, from
 * its singular values by halves, so that nothing grows beyond what it was. Singular values are
 * taken as 1e-6 of the largest at least. A LET that is 0 there, or as good as 0 (no element reaches
 * 1e-9), has no such basis; the blocks before it then write 0.
 */
#ifndef SCARLET_NAS_SUPERNET_MERGE_H
#define SCARLET_NAS_SUPERNET_MERGE_H

#include "nas/supernet/supernet.h"

/* What a layer of the network becomes: E' = E in, P' = out P, b' = out b; NULL: as it is. */
typedef struct scarlet__merge {
    int in_size, out_size;
    double *in, *out; /* [size][size] */
} scarlet__merge;

/* From the LETs of a path to the merge of each of the network's layers; the tail is the last that
 * may have one. MEMORY. Free also after a failure. */
scarlet_status scarlet__merge_plan(const scarlet__supernet *supernet, const float *weights,
                                   const scarlet__path *path, const scarlet__network *network,
                                   scarlet__merge merge[SCARLET__NETWORK_LAYERS_MAX],
                                   scarlet_error *err);
void scarlet__merge_free(scarlet__merge merge[SCARLET__NETWORK_LAYERS_MAX]);

#endif
