/*
 * Spaces with choices: what each layer of a supernet is made of, and which networks are its paths.
 */
#ifndef SCARLET_NAS_SUPERNET_SPACES_H
#define SCARLET_NAS_SUPERNET_SPACES_H

#include "network/network.h"
#include "scarlet/nas.h"

enum { SCARLET__CHOICES_MAX = 13 };

typedef struct scarlet__choices {
    int count;
    scarlet__choice choice[SCARLET__CHOICES_MAX];
    int skip; /* index of the identity; -1 if the layer cannot be skipped */
} scarlet__choices;

struct scarlet_space {
    scarlet__space widths;
    scarlet__choices layer[SCARLET__SPACE_LAYERS_MAX];
    int input_size, classes;
    char *widths_text, *choices_text; /* as in the metadata of a model file */
    char *text;                       /* of the whole */
};

/* A network of a space: an index into each layer's choices. */
typedef struct scarlet__path {
    int choice[SCARLET__SPACE_LAYERS_MAX];
} scarlet__path;

/* A copy with another input size and number of classes. */
scarlet_status scarlet__space_copy(const scarlet_space *space, int side, int classes,
                                   scarlet_space **out, scarlet_error *err);

/* Reads a genotype; "let" is another word for the identity. ARGUMENT: the text is no genotype, or
 * no path of the space. */
scarlet_status scarlet__path_parse(const scarlet_space *space, const char *text, scarlet__path *out,
                                   scarlet_error *err);
/* skip: the word for an identity, "id" or "let". */
void scarlet__path_print(const scarlet_space *space, const scarlet__path *path, const char *skip,
                         char text[SCARLET_GENOTYPE_SIZE]);
/* The network of a path. */
void scarlet__path_network(const scarlet_space *space, const scarlet__path *path,
                           scarlet__network *out);
/* Multiply-adds of a choice of a layer for pictures of the space's input size. */
int64_t scarlet__choice_macs(const scarlet_space *space, int layer, int choice);

#endif
