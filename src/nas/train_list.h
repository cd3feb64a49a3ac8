/* Pictures with their classes' names and parts, from every form in which training data come. */
#ifndef SCARLET_SRC_NAS_TRAIN_LIST_H
#define SCARLET_SRC_NAS_TRAIN_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "scarlet/nas.h"

enum { PARTS = 3 };

typedef struct example {
    char *name;  /* path; ARCHIVE:MEMBER */
    char *data;  /* contents of a member; NULL: load the file `name` */
    size_t size; /* bytes of data */
    char *error; /* why there is nothing to load; NULL: load it */
    char *class; /* its name, or its number as text; NULL if there is an error */
    scarlet_part part;
} example;

/* Start with {0}. */
typedef struct examples {
    example *item;
    size_t count;
    bool numbered; /* classes are numbers: those of a list or an archive without class folders */
} examples;

/*
 * Reads what `path` names:
 *
 *   - a folder of class folders
 *   - a folder of train/, val/ (valid/, validation/) and test/, with class folders in each
 *   - a tar archive of either, or with .cls members
 *   - a list: a path and a class on each line, separated by a comma, a tab or a blank, with or
 *     without a line of column names
 *
 * A form that cannot be used ends the program with a message.
 */
void examples_open(examples *all, const char *path);
void examples_close(examples *all);
/* Frees one picture's contents. */
void example_release(example *one);

/* "train", "validation" or "test". */
const char *part_name(scarlet_part part);
/* The part that a word such as "val" names; false if it names none. */
bool part_of_word(const char *word, size_t length, scarlet_part *part);

#endif
