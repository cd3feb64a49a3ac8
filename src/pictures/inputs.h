/* The pictures that the command line names, in order. */
#ifndef SCARLET_SRC_PICTURES_INPUTS_H
#define SCARLET_SRC_PICTURES_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "skipped.h"

enum { NO_LABEL = -1 };

typedef struct cli_input {
    char *path;        /* "-": standard input */
    const char *error; /* why there is nothing to load; NULL: load it */
    int64_t label;     /* class, or NO_LABEL */
    bool archive;      /* of an unknown number of pictures */
} cli_input;

/* Start with {0}. */
typedef struct cli_inputs {
    cli_input *item;
    size_t count;
    bool archives; /* some item is one */
    skipped skipped;
} cli_inputs;

/* Adds a file, "-", an archive, or all pictures below a folder in byte order of their paths. */
void cli_inputs_add(cli_inputs *inputs, const char *path);

typedef struct picture_choice {
    bool (*takes)(const char *name);
    int (*order)(const void *a, const void *b); /* of struct found (walk.h) */
    const char *none;                           /* what is wrong with a folder without pictures */
} picture_choice;

/* Adds the pictures below a folder, with one label; an input with an error if there are none. */
void cli_inputs_add_below(cli_inputs *inputs, const char *folder, const picture_choice *choice,
                          int64_t label);
void cli_inputs_append(cli_inputs *inputs, const char *path, const char *error, int64_t label);
void cli_inputs_free(cli_inputs *inputs);

#endif
