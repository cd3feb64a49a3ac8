/* Tar archives as a stream, and tar archives in them. */
#ifndef SCARLET_SRC_PICTURES_TAR_H
#define SCARLET_SRC_PICTURES_TAR_H

#include "picture.h"
#include "skipped.h"

/* path: "-" for standard input. wanted: NULL: all are; the content of other members is passed over.
 * others: counts pictures of kinds that are not read; NULL: not counted. */
struct tar *tar_open(const char *path, picture_wanted wanted, const void *user, skipped *others);
/* The next picture, which becomes number `index`; false after the last. What is wrong with the
 * archive itself comes as a picture with an error. */
bool tar_next(struct tar *tar, size_t index, cli_picture *out);
void tar_close(struct tar *tar);

#endif
