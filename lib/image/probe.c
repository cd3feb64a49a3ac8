/* What a file is, and its size, from its first bytes. */
#include <string.h>

#include "common/error.h"
#include "image/image.h"

/* Bytes of a literal, without the NUL after them. */
#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *name;
    size_t at;
    const char *bytes;
    size_t size;
} others[] = {
    {"GIF", 0, BYTES("GIF87")},
    {"GIF", 0, BYTES("GIF89")},
    {"BMP", 0, BYTES("BM")},
    {"WebP", 8, BYTES("WEBP")},
    {"TIFF", 0, BYTES("II*\0")},
    {"TIFF", 0, BYTES("MM\0*")},
    {"TIFF", 0, BYTES("II+\0")},
    {"TIFF", 0, BYTES("MM\0+")},
    {"AVIF", 4, BYTES("ftypavi")},
    {"HEIF", 4, BYTES("ftyphei")},
    {"HEIF", 4, BYTES("ftyphev")},
    {"HEIF", 4, BYTES("ftypmif")},
    {"HEIF", 4, BYTES("ftypmsf")},
    {"JPEG 2000", 4, BYTES("jP  ")},
    {"JPEG 2000", 0, BYTES("\xFF\x4F\xFF\x51")},
    {"JPEG XL", 4, BYTES("JXL ")},
    {"JPEG XL", 0, BYTES("\xFF\x0A")},
    {"Photoshop", 0, BYTES("8BPS")},
    {"ICO", 0, BYTES("\0\0\1\0")},
    {"QOI", 0, BYTES("qoif")},
    {"OpenEXR", 0, BYTES("\x76\x2F\x31\x01")},
    {"Radiance HDR", 0, BYTES("#?RADIANCE")},
    {"DDS", 0, BYTES("DDS ")},
    {"MNG", 0, BYTES("\x8AMNG")},
    {"ICNS", 0, BYTES("icns")},
    {"SGI", 0, BYTES("\x01\xDA")},
};

static bool begins(const uint8_t *data, size_t size, size_t at, const char *bytes, size_t count)
{
    return size >= at + count && memcmp(data + at, bytes, count) == 0;
}

/* A TGA file has no mark at its beginning: colour map, kind, size and depth must fit each other. */
static bool tga(const uint8_t *head, size_t size)
{
    if (size < 18)
        return false;
    unsigned map = head[1], kind = head[2] & ~8u, depth = head[16]; /* 8: run-length coded */
    return head[2] < 12 && kind >= 1 && kind <= 3 && map == (kind == 1) && (head[12] || head[13]) &&
           (head[14] || head[15]) && (depth == 8 || depth == 16 || depth == 24 || depth == 32);
}

static bool pcx(const uint8_t *head, size_t size)
{
    return size >= 4 && head[0] == 10 && head[1] <= 5 && head[2] == 1 &&
           (head[3] == 1 || head[3] == 2 || head[3] == 4 || head[3] == 8);
}

static bool jpeg(const uint8_t *head, size_t size)
{
    return begins(head, size, 0, BYTES("\xFF\xD8\xFF"));
}

static bool png(const uint8_t *head, size_t size)
{
    return begins(head, size, 0, BYTES("\x89PNG\r\n\x1A\n"));
}

static const char *other(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (begins(head, size, others[i].at, others[i].bytes, others[i].size))
            return others[i].name;
    if (size >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7' &&
        (head[2] == ' ' || head[2] == '\n' || head[2] == '\r' || head[2] == '\t'))
        return "Netpbm (PPM)";
    return pcx(head, size) ? "PCX" : tga(head, size) ? "TGA" : NULL;
}

const char *scarlet_image_kind(const void *data, size_t size)
{
    if (!data)
        return NULL;
    return jpeg(data, size) ? "JPEG" : png(data, size) ? "PNG" : other(data, size);
}

scarlet_status scarlet__picture_sniff(const char *name, const uint8_t *head, size_t size,
                                      scarlet__picture_kind *out, scarlet_error *err)
{
    if (jpeg(head, size))
        *out = SCARLET__JPEG;
    else if (png(head, size))
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

/* The last IHDR before the picture data, where there are more than one; as far as there are data.
 */
static bool png_size(const uint8_t *data, size_t size, uint32_t *width, uint32_t *height)
{
    enum { SIGNATURE = 8, HEAD = 8, SUM = 4 };
    bool found = false;
    for (size_t at = SIGNATURE; size - at >= HEAD && !begins(data, size, at + 4, BYTES("IDAT"));) {
        uint32_t length = be32(data + at);
        if (begins(data, size, at + 4, BYTES("IHDR")) && size - at >= HEAD + 8) {
            *width = be32(data + at + HEAD);
            *height = be32(data + at + HEAD + 4);
            found = true;
        }
        if (size - at < HEAD + SUM + (uint64_t)length)
            break;
        at += HEAD + SUM + (size_t)length;
    }
    return found;
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
    scarlet_status status = scarlet__picture_sniff(SCARLET__IN_MEMORY, bytes, size, &kind, err);
    if (status != SCARLET_OK)
        return status;
    uint32_t w = 0, h = 0;
    if (kind == SCARLET__PNG) {
        if (!png_size(bytes, size, &w, &h))
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                 SCARLET__IN_MEMORY ": the PNG data have no header with a size");
    } else {
        const uint8_t *sof = frame(bytes, size);
        if (!sof)
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                 SCARLET__IN_MEMORY
                                 ": the JPEG data end before the header with the size");
        h = be16(sof + 1);
        w = be16(sof + 3);
    }
    if (w == 0 || h == 0 || w > INT32_MAX || h > INT32_MAX)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             SCARLET__IN_MEMORY ": a picture of %lu x %lu pixels", (unsigned long)w,
                             (unsigned long)h);
    *width = w;
    *height = h;
    return SCARLET_OK;
}
