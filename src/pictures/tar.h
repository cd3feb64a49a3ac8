/* Tar archives as a stream. */
#ifndef SCARLET_SRC_PICTURES_TAR_H
#define SCARLET_SRC_PICTURES_TAR_H

#include "picture.h"

/* wanted: NULL: all are; the content of other members is passed over. */
struct tar *tar_open(const char *path, picture_wanted wanted, const void *user);
/* The next picture, which becomes number `index`; false after the last. What is wrong with the
 * archive itself comes as a last picture with an error. */
bool tar_next(struct tar *tar, size_t index, cli_picture *out);
void tar_close(struct tar *tar);

#endif
