/* What a file is, and its size, from its first bytes. */
#include <string.h>

#include "common/error.h"
#include "image/image.h"

static const struct {
    const char *name;
    size_t at, size;
    const char *bytes;
} others[] = {
    {"GIF", 0, 5, "GIF87"},
    {"GIF", 0, 5, "GIF89"},
    {"BMP", 0, 2, "BM"},
    {"WebP", 8, 4, "WEBP"},
    {"TIFF", 0, 4, "II*\0"},
    {"TIFF", 0, 4, "MM\0*"},
    {"TIFF", 0, 4, "II+\0"},
    {"TIFF", 0, 4, "MM\0+"},
    {"AVIF", 4, 7, "ftypavi"},
    {"HEIF", 4, 7, "ftyphei"},
    {"HEIF", 4, 7, "ftyphev"},
    {"HEIF", 4, 7, "ftypmif"},
    {"HEIF", 4, 7, "ftypmsf"},
    {"JPEG 2000", 4, 4, "jP  "},
    {"JPEG 2000", 0, 4, "\xFF\x4F\xFF\x51"},
    {"JPEG XL", 4, 4, "JXL "},
    {"JPEG XL", 0, 2, "\xFF\x0A"},
    {"Photoshop", 0, 4, "8BPS"},
    {"ICO", 0, 4, "\0\0\1\0"},
    {"QOI", 0, 4, "qoif"},
    {"OpenEXR", 0, 4, "\x76\x2F\x31\x01"},
    {"Radiance HDR", 0, 10, "#?RADIANCE"},
    {"DDS", 0, 4, "DDS "},
    {"MNG", 0, 4, "\x8AMNG"},
};

static bool begins(const uint8_t *data, size_t size, size_t at, const char *bytes, size_t count)
{
    return size >= at + count && memcmp(data + at, bytes, count) == 0;
}

static const char *other(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (begins(head, size, others[i].at, others[i].bytes, others[i].size))
            return others[i].name;
    if (size >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7' &&
        (head[2] == ' ' || head[2] == '\n' || head[2] == '\r' || head[2] == '\t'))
        return "Netpbm (PPM)";
    return NULL;
}

scarlet_status scarlet__picture_sniff(const char *name, const uint8_t *head, size_t size,
                                      scarlet__picture_kind *out, scarlet_error *err)
{
    if (begins(head, size, 0, "\xFF\xD8\xFF", 3))
        *out = SCARLET__JPEG;
    else if (begins(head, size, 0, "\x89PNG\r\n\x1A\n", 8))
        *out = SCARLET__PNG;
    else if (other(head, size))
        return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                             "%s: a %s picture; only JPEG and PNG are read: convert it first", name,
                             other(head, size));
    else
        return scarlet__fail(err, SCARLET_ERROR_FORMAT, "%s: %s", name,
                             size ? "neither a JPEG nor a PNG picture" : "an empty file");
    return SCARLET_OK;
}

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

/* The frame header of a JPEG file: precision, height, width. NULL if data ends or the scan begins
 * before it. */
static const uint8_t *frame(const uint8_t *data, size_t size)
{
    size_t at = 2;
    for (;;) {
        while (at < size && data[at] != 0xFF)
            at++;
        while (at < size && data[at] == 0xFF)
            at++;
        if (at >= size)
            return NULL;
        uint8_t marker = data[at++];
        if (marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD9))
            continue; /* no segment follows */
        if (marker == 0xDA || size - at < 2)
            return NULL;
        size_t length = be16(data + at);
        bool sof =
            marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
        if (sof)
            return length >= 7 && size - at >= 7 ? data + at + 2 : NULL;
        at = length < 2 ? at + 2 : length > size - at ? size : at + length;
    }
}

scarlet_status scarlet_image_probe(const void *data, size_t size, uint32_t *width, uint32_t *height,
                                   scarlet_error *err)
{
    if (!data || !width || !height)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !data    ? "data"
                             : !width ? "width"
                                      : "height");
    const uint8_t *bytes = data;
    scarlet__picture_kind kind;
    scarlet_status status = scarlet__picture_sniff("memory", bytes, size, &kind, err);
    if (status != SCARLET_OK)
        return status;
    uint32_t w = 0, h = 0;
    if (kind == SCARLET__PNG) {
        if (!begins(bytes, size, 12, "IHDR", 4) || size < 24)
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                 "memory: the PNG data have no header with a size");
        w = be32(bytes + 16);
        h = be32(bytes + 20);
    } else {
        const uint8_t *sof = frame(bytes, size);
        if (!sof)
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                 "memory: the JPEG data end before the header with the size");
        h = be16(sof + 1);
        w = be16(sof + 3);
    }
    if (w == 0 || h == 0 || w > INT32_MAX || h > INT32_MAX)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "memory: a picture of %lu x %lu pixels",
                             (unsigned long)w, (unsigned long)h);
    *width = w;
    *height = h;
    return SCARLET_OK;
}
