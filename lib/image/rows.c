/* A row of a picture of any pixel format, as the loops on pixels take it. */
#include <string.h>

#include "image/image.h"

static scarlet__row_format copy(const uint8_t *row, size_t x, size_t count, size_t size,
                                scarlet__row_format format, uint8_t *out)
{
    memcpy(out, row + x * size, count * size);
    return format;
}

scarlet__row_format scarlet__image_row(const scarlet_image *image, const scarlet__pixel_ops *ops,
                                       uint32_t y, uint32_t x, uint32_t count, uint8_t *out)
{
    const uint8_t *row = image->plane[0] + y * image->stride[0];
    switch (image->format) {
    case SCARLET_PIXELS_BGR:
        return copy(row, x, count, 3, SCARLET__ROW_BGR, out);
    case SCARLET_PIXELS_RGBA:
        return copy(row, x, count, 4, SCARLET__ROW_RGBX, out);
    case SCARLET_PIXELS_BGRA:
        return copy(row, x, count, 4, SCARLET__ROW_BGRX, out);
    case SCARLET_PIXELS_GRAY:
        return copy(row, x, count, 1, SCARLET__ROW_GRAY, out);
    case SCARLET_PIXELS_NV12:
    case SCARLET_PIXELS_NV21: {
        size_t blue = image->format == SCARLET_PIXELS_NV21;
        const uint8_t *pairs = image->plane[1] + y / 2 * image->stride[1] + x;
        ops->yuv(row + x, pairs + blue, pairs + 1 - blue, 2, count, out);
        return SCARLET__ROW_RGBX;
    }
    case SCARLET_PIXELS_I420:
        ops->yuv(row + x, image->plane[1] + y / 2 * image->stride[1] + x / 2,
                 image->plane[2] + y / 2 * image->stride[2] + x / 2, 1, count, out);
        return SCARLET__ROW_RGBX;
    default: /* RGB: no other format is let in */
        return copy(row, x, count, 3, SCARLET__ROW_RGB, out);
    }
}
