/*
 * Genotypes: what a network chooses of its space. As text, one item a layer joined by commas:
 * "e3k5se,id,e6k7" is expansion 3, kernel 5, squeeze-excite; the identity; expansion 6, kernel 7.
 */
#ifndef SCARLET_NETWORK_GENOTYPE_H
#define SCARLET_NETWORK_GENOTYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "network/space.h"

typedef struct scarlet__choice {
    int expansion; /* 3 or 6; 0: the identity, and the rest has no meaning */
    int kernel;    /* 3, 5 or 7 */
    bool squeeze;  /* with squeeze-excite */
} scarlet__choice;

typedef struct scarlet__genotype {
    int count;
    scarlet__choice layer[SCARLET__SPACE_LAYERS_MAX];
} scarlet__genotype;

/* Of texts with their NUL. */
enum {
    SCARLET__CHOICE_SIZE = 8,
    SCARLET__GENOTYPE_SIZE = SCARLET__SPACE_LAYERS_MAX * SCARLET__CHOICE_SIZE
};

/* Whether it is one of a space's 13 choices. */
bool scarlet__choice_valid(const scarlet__choice *choice);
/* Reads exactly text[0 .. length-1]; false if it is no choice. */
bool scarlet__choice_parse(const char *text, size_t length, scarlet__choice *out);
/* The text of a valid choice. */
void scarlet__choice_print(const scarlet__choice *choice, char text[SCARLET__CHOICE_SIZE]);

/* Reads a text. ARGUMENT names the malformed item, or says that there are too many. */
scarlet_status scarlet__genotype_parse(const char *text, scarlet__genotype *out,
                                       scarlet_error *err);
/* The text of a genotype of valid choices. */
void scarlet__genotype_print(const scarlet__genotype *genotype, char text[SCARLET__GENOTYPE_SIZE]);

/* Text of a released network of the default space: "SCARLET-A", -B or -C. NULL if there is none of
 * this name. */
const char *scarlet__genotype_released(const char *name);
/* The reverse: the name, static, or NULL. */
const char *scarlet__genotype_name(const char *text);

#endif
