/* Small pictures within a page. */
#ifndef SCARLET_SRC_PICTURES_THUMBNAIL_H
#define SCARLET_SRC_PICTURES_THUMBNAIL_H

#include <stdio.h>

#include "scarlet/scarlet.h"

/* Writes a small copy as <img> with a data: address; nothing if that fails. */
void html_thumbnail(FILE *out, const scarlet_image *image);

#endif
