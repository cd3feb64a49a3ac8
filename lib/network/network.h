/* A network: its layers, their tensors, their costs. */
#ifndef SCARLET_NETWORK_NETWORK_H
#define SCARLET_NETWORK_NETWORK_H

#include <stdbool.h>

#include "network/genotype.h"
#include "network/space.h"
#include "network/style.h"

enum {
    SCARLET__NETWORK_LAYERS_MAX =
        SCARLET__SPACE_LAYERS_MAX + 4, /* stem, separable, tail, classifier */
    SCARLET__CLASSES_MAX = 1000000,
    SCARLET__SIDE_MAX = 4096, /* pixels of an input, which bounds every size and cost below */
    SCARLET__LAYER_NAME_SIZE = 24
};

typedef struct scarlet__layer {
    char name[SCARLET__LAYER_NAME_SIZE]; /* prefix of its tensors: "mb_module.3" */
    int kind;                            /* SCARLET_LAYER_* */
    int in, out;                         /* channels */
    int kernel;                          /* side of the spatial kernel; 1 if there is none */
    int stride;
    int expansion; /* 0 if it is no inverted residual */
    int hidden;    /* expansion * in; 0 if it is no inverted residual */
    int squeeze;   /* width of squeeze-excite; 0 without it */
    bool residual; /* the input is added to the output */
    scarlet__style style;
} scarlet__layer;

typedef struct scarlet__network {
    scarlet__space space;
    scarlet__style style;
    int classes;
    int total_stride; /* the input's side over the last feature map's */
    int count;
    scarlet__layer layer[SCARLET__NETWORK_LAYERS_MAX];
    const char *name; /* "SCARLET-A", "MobileNetV2", ... or "custom"; static */
    char genotype[SCARLET__GENOTYPE_SIZE];
} scarlet__network;

/* Builds the network that a genotype chooses of a space, in the style of the paper. ARGUMENT: the
 * numbers of their layers differ, a choice is not valid (or its squeeze-excite would have no
 * channels), or `classes` is not in 1 .. SCARLET__CLASSES_MAX. LIMIT: its total stride is above
 * SCARLET__SIDE_MAX. */
scarlet_status scarlet__network_build(const scarlet__space *space,
                                      const scarlet__genotype *genotype, int classes,
                                      scarlet__network *out, scarlet_error *err);
/* Gives a network another style. */
void scarlet__network_set_style(scarlet__network *network, const scarlet__style *style);
/* Name of the searched layer `index`: the prefix of its tensors. */
void scarlet__searched_name(int index, char name[SCARLET__LAYER_NAME_SIZE]);

/* Side of a layer's output for a side of its input. */
int scarlet__layer_side(const scarlet__layer *layer, int side);
/* Pixels of padding before the first row and column of a layer's input of that side. */
int scarlet__layer_padding(const scarlet__layer *layer, int side);
/* Side of the input of layer `index` for a picture of `side` pixels. */
int scarlet__network_side(const scarlet__network *network, int side, size_t index);
int64_t scarlet__layer_parameters(const scarlet__layer *layer);
/* Multiply-adds for one picture, `side` being the side of the layer's input. Those of a whole
 * network are below 2^60: widths, sides and the number of layers are bounded. */
int64_t scarlet__layer_macs(const scarlet__layer *layer, int side);

/*
 * The tensors a layer consists of, in the release's order: calls visit for each until it returns
 * false. The rank is 4 for convolutions, 2 for the classifier, 1 for the rest.
 */
typedef enum scarlet__role {
    SCARLET__WEIGHT, /* of a convolution or the classifier */
    SCARLET__BIAS,   /* of squeeze-excite and the classifier */
    /* Of a batch norm, y = (x - MEAN) / sqrt(VARIANCE + epsilon) * GAMMA + BETA. */
    SCARLET__GAMMA,
    SCARLET__BETA,
    SCARLET__MEAN,
    SCARLET__VARIANCE,
} scarlet__role;
typedef bool (*scarlet__visit_fn)(void *user, const char *name, scarlet__role role, int rank,
                                  const int64_t *shape);
bool scarlet__layer_visit(const scarlet__layer *layer, scarlet__visit_fn visit, void *user);

#endif
