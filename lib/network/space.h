/*
 * Spaces: families of networks as data. A space fixes widths and strides; a network of it chooses
 * each layer's expansion, kernel and squeeze-excite, or the identity.
 */
#ifndef SCARLET_NETWORK_SPACE_H
#define SCARLET_NETWORK_SPACE_H

#include "scarlet/scarlet.h"

enum { SCARLET__SPACE_LAYERS_MAX = 64 };

typedef struct scarlet__space {
    int stem;  /* channels of the first convolution; half as many enter the first layer */
    int tail;  /* channels before the classifier */
    int count; /* searched layers */
    struct {
        int channels, stride;
    } layer[SCARLET__SPACE_LAYERS_MAX];
} scarlet__space;

/* The space of the paper (arXiv 1908.06022): 19 layers, 13^19 networks. */
extern const scarlet__space scarlet__space_default;

/* Reads "stem=16 tail=640 layers=24:2,24:1,40:2", the value of the metadata key scarlet.space. */
scarlet_status scarlet__space_parse(const char *text, scarlet__space *out, scarlet_error *err);

#endif
