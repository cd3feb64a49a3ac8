/* Small pictures within a page. */
#ifndef SCARLET_SRC_PICTURES_THUMBNAIL_H
#define SCARLET_SRC_PICTURES_THUMBNAIL_H

#include "scarlet/scarlet.h"

/* A small copy as <img> with a data: address; free it. NULL if that fails. */
char *html_thumbnail(const scarlet_image *image);

#endif
