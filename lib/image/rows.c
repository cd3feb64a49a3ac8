/* A row of any pixel format as RGB. */
#include <string.h>

#include "image/image.h"
#include "image/yuv.h"

static void from_packed(const uint8_t *in, uint32_t count, size_t pixel, size_t red, uint8_t *out)
{
    for (uint32_t x = 0; x < count; x++, in += pixel, out += 3) {
        out[0] = in[red];
        out[1] = in[1];
        out[2] = in[2 - red];
    }
}

void scarlet__image_row(const scarlet_image *image, uint32_t y, uint32_t x, uint32_t count,
                        uint8_t *out)
{
    const uint8_t *row = image->plane[0] + y * image->stride[0];
    const uint8_t *cb = NULL, *cr = NULL;
    if (image->plane[1])
        cb = image->plane[1] + y / 2 * image->stride[1];
    if (image->plane[2])
        cr = image->plane[2] + y / 2 * image->stride[2];
    size_t at = x;
    switch (image->format) {
    case SCARLET_PIXELS_BGR:
        from_packed(row + at * 3, count, 3, 2, out);
        break;
    case SCARLET_PIXELS_RGBA:
        from_packed(row + at * 4, count, 4, 0, out);
        break;
    case SCARLET_PIXELS_BGRA:
        from_packed(row + at * 4, count, 4, 2, out);
        break;
    case SCARLET_PIXELS_GRAY:
        for (uint32_t i = 0; i < count; i++, out += 3)
            out[0] = out[1] = out[2] = row[at + i];
        break;
    case SCARLET_PIXELS_NV12:
        scarlet__yuv_row(row + at, cb + at, cb + at + 1, 2, count, out);
        break;
    case SCARLET_PIXELS_NV21:
        scarlet__yuv_row(row + at, cb + at + 1, cb + at, 2, count, out);
        break;
    case SCARLET_PIXELS_I420:
        scarlet__yuv_row(row + at, cb + at / 2, cr + at / 2, 1, count, out);
        break;
    default: /* RGB: no other format is let in */
        memcpy(out, row + at * 3, (size_t)count * 3);
        break;
    }
}
