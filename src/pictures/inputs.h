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
void cli_inputs_append(cli_inputs *inputs, const char *path, const char *error, int64_t label);
void cli_inputs_free(cli_inputs *inputs);

#endif
