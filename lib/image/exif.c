/* The EXIF orientation as the reference (Pillow) finds it, and turning a picture by it. */
#include <string.h>

#include "common/error.h"
#include "image/image.h"

enum { HEAD = 8, ENTRY = 12, TAG_ORIENTATION = 0x0112 };

/* Types of values. The reference turns by any number that equals 2 .. 8. */
enum {
    TYPE_BYTE = 1, /* no number to it, as are ASCII and UNDEFINED */
    TYPE_ASCII = 2,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    TYPE_RATIONAL = 5,
    TYPE_SBYTE = 6,
    TYPE_UNDEFINED = 7,
    TYPE_SSHORT = 8,
    TYPE_SLONG = 9,
    TYPE_SRATIONAL = 10,
    TYPE_FLOAT = 11,
    TYPE_DOUBLE = 12,
    TYPE_IFD = 13,
    TYPE_LONG8 = 16
};

/* Bytes of a value; 0 for a type that the reference passes over. */
static const uint8_t type_size[] = {
    [TYPE_BYTE] = 1,     [TYPE_ASCII] = 1,     [TYPE_SHORT] = 2,     [TYPE_LONG] = 4,
    [TYPE_RATIONAL] = 8, [TYPE_SBYTE] = 1,     [TYPE_UNDEFINED] = 1, [TYPE_SSHORT] = 2,
    [TYPE_SLONG] = 4,    [TYPE_SRATIONAL] = 8, [TYPE_FLOAT] = 4,     [TYPE_DOUBLE] = 8,
    [TYPE_IFD] = 4,      [TYPE_LONG8] = 8,
};

static uint64_t number(const uint8_t *p, int bytes, bool big)
{
    uint64_t v = 0;
    for (int i = 0; i < bytes; i++)
        v = v << 8 | p[big ? i : bytes - 1 - i];
    return v;
}

/* The value if it is one of 1 .. 8, else 1. */
static int numbered(const uint8_t *p, unsigned type, bool big)
{
    double value = 0;
    switch (type) {
    case TYPE_SHORT:
    case TYPE_LONG:
    case TYPE_SBYTE:
    case TYPE_SSHORT:
    case TYPE_SLONG:
    case TYPE_IFD:
    case TYPE_LONG8: /* a negative one is none of 1 .. 8, signed or not */
        value = (double)number(p, type_size[type], big);
        break;
    case TYPE_RATIONAL:
    case TYPE_SRATIONAL: {
        uint32_t over = (uint32_t)number(p, 4, big), under = (uint32_t)number(p + 4, 4, big);
        bool is_signed = type == TYPE_SRATIONAL;
        double a = is_signed ? (int32_t)over : (double)over;
        double b = is_signed ? (int32_t)under : (double)under;
        value = b < 0 || b > 0 ? a / b : 0; /* 1 .. 8 exactly only if it is so */
        break;
    }
    case TYPE_FLOAT: {
        uint32_t bits = (uint32_t)number(p, 4, big);
        float single;
        memcpy(&single, &bits, sizeof single);
        value = (double)single;
        break;
    }
    case TYPE_DOUBLE: {
        uint64_t bits = number(p, 8, big);
        memcpy(&value, &bits, sizeof value);
        break;
    }
    default:
        break;
    }
    for (int i = 2; i <= 8; i++)
        if (value >= i && value <= i)
            return i;
    return 1;
}

/* What the data may begin with. The reference puts up with bytes that are swapped, and takes the
 * big-endian mark of BigTIFF for that of TIFF. */
static const char marks[][5] = {"MM\0*", "II*\0", "MM*\0", "II\0*", "MM\0+"};

int scarlet__exif_orientation(const uint8_t *data, size_t size)
{
    bool known = false;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        known = known || (size >= HEAD && memcmp(data, marks[i], 4) == 0);
    if (!known)
        return 0;
    bool big = data[0] == 'M';
    size_t at = (size_t)number(data + 4, 4, big);
    if (at > size - 2)
        return 0;
    size_t entries = (size_t)number(data + at, 2, big);
    int found = 0;
    at += 2;
    for (size_t i = 0; i < entries && size - at >= ENTRY; i++, at += ENTRY) {
        unsigned tag = (unsigned)number(data + at, 2, big);
        unsigned type = (unsigned)number(data + at + 2, 2, big);
        if (type >= sizeof type_size || type_size[type] == 0)
            continue;
        uint64_t bytes = number(data + at + 4, 4, big) * type_size[type];
        uint64_t place = bytes > 4 ? number(data + at + 8, 4, big) : at + 8;
        if (bytes > size || place > size - bytes)
            break; /* the reference reads no further either */
        if (tag == TAG_ORIENTATION && bytes > 0)
            found = numbered(data + place, type, big);
    }
    return found;
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
