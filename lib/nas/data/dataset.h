/* The list of pictures, as other files of the library see it. */
#ifndef SCARLET_NAS_DATA_DATASET_H
#define SCARLET_NAS_DATA_DATASET_H

#include <stdbool.h>

#include "scarlet/nas.h"

enum { SCARLET__PARTS = 3 };

/* A picture in one of three forms: the first that is set. */
typedef struct scarlet__sample {
    scarlet_image *image; /* owned */
    uint8_t *bytes;       /* of a file, owned */
    char *path;           /* owned */
    size_t size;          /* of bytes */
    int32_t label;
    scarlet_part part;
} scarlet__sample;

struct scarlet_dataset {
    int32_t classes;
    char **name;   /* of classes; NULL: none */
    float *weight; /* of classes in the loss; NULL: all alike */
    scarlet__sample *sample;
    size_t count, capacity;
    void **block; /* pixels that wrapped pictures of IDX files point into */
    size_t blocks, block_capacity;
};

enum { SCARLET__SAMPLES_MAX = INT32_MAX };

size_t scarlet__dataset_part_count(const scarlet_dataset *dataset, scarlet_part part);
/* Indices of a part's pictures, in order; NULL if out of memory. Free with scarlet__free. */
uint32_t *scarlet__dataset_part(const scarlet_dataset *dataset, scarlet_part part, size_t *count);
/* Indices of the training pictures by class: those of class c are index[first[c] .. first[c+1]-1].
 * Free both with scarlet__free, also after a failure. */
scarlet_status scarlet__dataset_by_class(const scarlet_dataset *dataset, size_t **first,
                                         uint32_t **index, scarlet_error *err);
/* "photos/cat/1.jpg", or "picture 17". */
void scarlet__sample_name(const scarlet_dataset *dataset, size_t index, char *text, size_t room);

/* Names of classes, copied; ARGUMENT if one is no text. Free with scarlet__names_clear. */
scarlet_status scarlet__names_copy(const char *const *names, int32_t count, char ***out,
                                   scarlet_error *err);
void scarlet__names_clear(char **names, int32_t count);

#endif
