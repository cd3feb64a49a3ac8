/* What a path on the command line names. */
#ifndef SCARLET_SRC_PICTURES_KIND_H
#define SCARLET_SRC_PICTURES_KIND_H

#include <stdbool.h>

typedef enum input_kind {
    INPUT_FILE, /* anything else, a missing one too */
    INPUT_STDIN,
    INPUT_FOLDER,
    INPUT_ARCHIVE, /* a tar archive, plain or compressed, by its name or its head */
    INPUT_PICTURE, /* by its name */
} input_kind;

input_kind input_kind_of(const char *path);
/* Does torchvision's ImageFolder take a file of this name for a picture? */
bool is_picture(const char *name);
bool is_folder(const char *path);

#endif
