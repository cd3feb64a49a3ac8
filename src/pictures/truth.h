/* Right classes of pictures that are not in class folders. */
#ifndef SCARLET_SRC_PICTURES_TRUTH_H
#define SCARLET_SRC_PICTURES_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classes.h"

typedef struct truth {
    int64_t *by_line;
    size_t lines;
    bool positions; /* line n is for picture n where its name holds no number */
    struct named {
        char *name;
        int64_t label;
    } * named;
    size_t names;
} truth;

/* file: "class" or "name class" a line, or a table of both; NULL: the validation labels of
 * ILSVRC2012. known: their names and ids; NULL: numbers only. */
void truth_open(truth *t, const char *file, const class_table *known);
void truth_close(truth *t);
/* Class of picture number `index` of this name, or NO_LABEL. */
int64_t truth_of(const truth *t, const char *name, size_t index);
/* Number N of ILSVRC2012_val_N.*, or 0. */
size_t validation_number(const char *path);

#endif
