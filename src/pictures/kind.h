/* What a path on the command line names. */
#ifndef SCARLET_SRC_PICTURES_KIND_H
#define SCARLET_SRC_PICTURES_KIND_H

#include <stdbool.h>

typedef enum input_kind {
    INPUT_FILE, /* anything else, a missing one too */
    INPUT_FOLDER,
    INPUT_ARCHIVE, /* a tar archive, or a compressed file, which may be one */
    INPUT_PICTURE,
    INPUT_ZIP,
    INPUT_7Z,
    INPUT_RAR,
} input_kind;

/* By its contents, else by its name. "-" is standard input; pipes are opened (common/source.h). */
input_kind input_kind_of(const char *path);
/* Has a file of a picture such a name? */
bool is_picture(const char *name);
/* Does torchvision's ImageFolder take a file of this name for a picture? */
bool is_image_folder_picture(const char *name);
/* Has a tar archive such a name? */
bool is_archive_name(const char *name);
bool is_folder(const char *path);

#endif
