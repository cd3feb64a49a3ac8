/* The EXIF orientation, and turning a picture by it. */
#include <string.h>

#include "common/error.h"
#include "image/image.h"

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, ENTRY = 12 };

static uint32_t number(const uint8_t *p, int bytes, bool big)
{
    uint32_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[big ? i : bytes - 1 - i];
    return v;
}

int scarlet__exif_orientation(const uint8_t *data, size_t size)
{
    if (size < 8 || (memcmp(data, "II*\0", 4) != 0 && memcmp(data, "MM\0*", 4) != 0))
        return 1;
    bool big = data[0] == 'M';
    size_t at = number(data + 4, 4, big);
    if (at > size - 2)
        return 1;
    size_t entries = number(data + at, 2, big);
    at += 2;
    for (size_t i = 0; i < entries && size - at >= ENTRY; i++, at += ENTRY) {
        if (number(data + at, 2, big) != TAG_ORIENTATION)
            continue;
        uint32_t value = number(data + at + 8, 2, big);
        bool fits = number(data + at + 2, 2, big) == TYPE_SHORT && value >= 1 && value <= 8;
        return fits ? (int)value : 1;
    }
    return 1;
}

scarlet_status scarlet__image_turn(scarlet_image **image, int orientation, scarlet_error *err)
{
    scarlet_image *from = *image, *to;
    bool sideways = orientation >= 5;
    scarlet_status status = scarlet__image_new(sideways ? from->height : from->width,
                                               sideways ? from->width : from->height, &to, err);
    if (status != SCARLET_OK) {
        scarlet_image_free(from);
        *image = NULL;
        return status;
    }
    /* Where the row and the column of a pixel count from the other end, in the stored picture. */
    bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    uint8_t *out = to->owned;
    for (uint32_t y = 0; y < to->height; y++)
        for (uint32_t x = 0; x < to->width; x++, out += 3) {
            uint32_t fx = sideways ? y : x, fy = sideways ? x : y;
            if (mirror_x)
                fx = from->width - 1 - fx;
            if (mirror_y)
                fy = from->height - 1 - fy;
            memcpy(out, from->owned + fy * from->stride[0] + (size_t)fx * 3, 3);
        }
    scarlet_image_free(from);
    *image = to;
    return SCARLET_OK;
}
