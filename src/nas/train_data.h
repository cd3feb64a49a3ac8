/* The dataset of a training, with the names of its pictures and classes. */
#ifndef SCARLET_SRC_NAS_TRAIN_DATA_H
#define SCARLET_SRC_NAS_TRAIN_DATA_H

#include "train_list.h"

/* What cannot be used, and why. */
typedef struct unusable {
    char *name, *reason;
    scarlet_part part;
    bool picture; /* else a folder or an archive */
} unusable;

typedef struct train_faults {
    size_t broken[PARTS], pictures[PARTS]; /* broken: of these pictures */
    size_t others;                         /* folders and archives that cannot be used */
} train_faults;

typedef struct train_data {
    scarlet_dataset *set;
    char **name; /* of each picture of the set */
    size_t count;
    char **class_name; /* NULL: classes are numbers */
    size_t classes;
    size_t parts[PARTS]; /* pictures of each */
    bool split;          /* the validation part was split off the training pictures */
    unusable *unusable;  /* left out of the set from the start */
    size_t unusables;
} train_data;

/*
 * Opens what examples_open reads, or a folder with the IDX files of MNIST.
 *
 * names     a file of class names, one a line, for classes that are numbers; or NULL
 * fraction  of the training pictures that becomes the validation part, by `seed`, if there is none
 *
 * What cannot be used ends the program with a message.
 */
void train_data_open(train_data *d, const char *path, const char *names, double fraction,
                     uint64_t seed);
/* Weighs the classes by a file with a number for each, a line each. */
void train_data_weigh(train_data *d, const char *path);
void train_data_close(train_data *d);
/* Those found when the data were opened. */
train_faults train_data_faults(const train_data *d);
/* The first part of which more pictures are broken than a training tolerates, 5 %; PARTS: none. */
int train_faults_excess(const train_faults *faults);
/* "NAME: reason", where the library's reason may name the picture itself; free it. */
char *fault_text(const char *name, const char *reason);
/* Name of a class, or its number in `room`. */
const char *train_class(const train_data *d, int32_t class_id, char room[16]);
/* Part and label of a picture. */
scarlet_part train_part(const train_data *d, size_t index, int32_t *label);
/* Writes path, class and part of each picture as CSV. */
void train_data_write(const train_data *d, const char *path);

#endif
