/* All pictures below a folder, links followed. */
#ifndef SCARLET_SRC_PICTURES_WALK_H
#define SCARLET_SRC_PICTURES_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "skipped.h"

/* A picture, or what could not be read. */
typedef struct found {
    char *path;
    const char *error; /* NULL: a picture */
} found;

/* Those whose names `takes` accepts, in no order; other files are counted in *others. Folders that
 * cannot be read, and links to the root or a folder above it, come as errors. Free paths and array.
 */
found *walk_pictures(const char *root, bool (*takes)(const char *name), size_t *count,
                     skipped *others);

#endif
