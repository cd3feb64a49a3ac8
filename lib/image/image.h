/* The picture object as the files of this folder see it. */
#ifndef SCARLET_IMAGE_IMAGE_H
#define SCARLET_IMAGE_IMAGE_H

#include <stdbool.h>

#include "common/io.h"
#include "image/pixel_ops.h"
#include "scarlet/scarlet.h"

struct scarlet_image {
    uint32_t width, height;
    scarlet_pixels format;
    const uint8_t *plane[3];
    size_t stride[3];
    uint8_t *owned; /* the pixels of a picture of our own; NULL for a wrapped one */
    scarlet_release_fn release;
    void *user;
};

/* Largest width x height that libscarlet makes itself: Pillow's guard. */
#define SCARLET__PIXELS_MAX 178956970

/* LIMIT if the picture in file `name` has more than max_pixels pixels. */
scarlet_status scarlet__image_fits(const char *name, uint32_t width, uint32_t height,
                                   int64_t max_pixels, scarlet_error *err);

/* A new RGB picture without gaps between its rows; pixels uninitialised. */
scarlet_status scarlet__image_new(uint32_t width, uint32_t height, scarlet_image **out,
                                  scarlet_error *err);

/* Copies the pixels x .. x+count-1 of row y to `out`, in the format it returns; `out` has room for
 * count * SCARLET__PIXEL_MAX bytes and the row pad. x is even, count is or reaches the last column.
 */
scarlet__row_format scarlet__image_row(const scarlet_image *image, const scarlet__pixel_ops *ops,
                                       uint32_t y, uint32_t x, uint32_t count, uint8_t *out);
enum { SCARLET__PIXEL_MAX = 4 };

/* What the first bytes of a file say. */
typedef enum scarlet__picture_kind { SCARLET__JPEG, SCARLET__PNG } scarlet__picture_kind;
enum { SCARLET__HEAD = 32 }; /* as many first bytes are enough */
/* UNSUPPORTED for a picture of another kind, FORMAT for anything else. */
scarlet_status scarlet__picture_sniff(const char *name, const uint8_t *head, size_t size,
                                      scarlet__picture_kind *out, scarlet_error *err);

typedef struct scarlet__decoding {
    int64_t max_pixels;
    uint32_t side; /* a short side of this many pixels is enough; 0: the whole picture */
} scarlet__decoding;

/* Decoders: orientation (may be NULL) receives the orientation 1 .. 8, 0 if the file has none. */
scarlet_status scarlet__jpeg_decode(const scarlet__source *source, const scarlet__decoding *how,
                                    int *orientation, scarlet_image **out, scarlet_error *err);
scarlet_status scarlet__png_decode(const scarlet__source *source, const scarlet__decoding *how,
                                   int *orientation, scarlet_image **out, scarlet_error *err);

/* Orientation 1 .. 8 in a block of EXIF data, which begins with a TIFF head; 0 if it has none. */
int scarlet__exif_orientation(const uint8_t *data, size_t size);
/* Replaces *image, an RGB picture of our own, by itself the right way up. */
scarlet_status scarlet__image_turn(scarlet_image **image, int orientation, scarlet_error *err);

#endif
