/* One picture. */
#ifndef SCARLET_SRC_PICTURES_PICTURE_H
#define SCARLET_SRC_PICTURES_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scarlet/scarlet.h"

/* Start with {0}. */
typedef struct cli_picture {
    size_t index;     /* place in the whole order, from 0 */
    char *name;       /* path; ARCHIVE:MEMBER */
    size_t member;    /* where MEMBER begins in the name; 0: a file */
    char *data;       /* contents of a member; NULL: load the file `name` */
    size_t size;      /* bytes of data */
    char *error;      /* why there is nothing to load; NULL: load it */
    int64_t label;    /* class, or NO_LABEL */
    char *class_name; /* what KEY.cls holds, if that is not a number; else NULL */
} cli_picture;

/* Is the content of this picture wanted? */
typedef bool (*picture_wanted)(const void *user, size_t index);

void cli_picture_free(cli_picture *picture);
/* Decodes a picture from its data, its file, or what is read only once (common/source.h). */
scarlet_status cli_load(const cli_picture *picture, const scarlet_options *opts,
                        scarlet_image **out, scarlet_error *err);

#endif
