#include "thumbnail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/alloc.h"

enum { SIDE = 160 };

/* ---- PNG ---- */

static void put32(unsigned char *to, size_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(value >> (24 - 8 * i));
}

static unsigned char *chunk(unsigned char *to, const char *kind, const void *data, size_t size)
{
    put32(to, size);
    memcpy(to + 4, kind, 4);
    if (size)
        memcpy(to + 8, data, size);
    put32(to + 8 + size, crc32(0, to + 4, (uInt)(size + 4)));
    return to + 12 + size;
}

/* A PNG file of dense RGB pixels; free it. */
static unsigned char *png(const unsigned char *pixels, size_t width, size_t height, size_t *size)
{
    size_t row = 3 * width;
    unsigned char *raw = cli_alloc(height, row + 1); /* each row after its filter type: none */
    for (size_t y = 0; y < height; y++)
        memcpy(raw + y * (row + 1) + 1, pixels + y * row, row);
    uLongf packed_size = compressBound((uLong)(height * (row + 1)));
    unsigned char *packed = cli_alloc(packed_size, 1);
    unsigned char *file = cli_alloc(packed_size + 100, 1), head[13] = {[8] = 8, [9] = 2};
    compress2(packed, &packed_size, raw, (uLong)(height * (row + 1)),
              9); /* the bound is sufficient */
    memcpy(file, "\x89PNG\r\n\x1a\n", 8);
    put32(head, width);
    put32(head + 4, height);
    unsigned char *end = chunk(file + 8, "IHDR", head, sizeof head);
    end = chunk(end, "IDAT", packed, packed_size);
    end = chunk(end, "IEND", NULL, 0);
    *size = (size_t)(end - file);
    free(raw);
    free(packed);
    return file;
}

static void put_base64(FILE *out, const unsigned char *data, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t rest = size - i;
        unsigned v = (unsigned)data[i] << 16 | (rest > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                     (rest > 2 ? data[i + 2] : 0u);
        fputc(digits[v >> 18], out);
        fputc(digits[v >> 12 & 63], out);
        fputc(rest > 1 ? digits[v >> 6 & 63] : '=', out);
        fputc(rest > 2 ? digits[v & 63] : '=', out);
    }
}

/* ---- picture ---- */

char *html_thumbnail(const scarlet_image *image)
{
    uint32_t width, height;
    size_t stride;
    scarlet_image *small = NULL;
    if (!scarlet_image_pixels(image, &width, &height, NULL, NULL))
        return NULL;
    uint64_t longer = width > height ? width : height;
    uint32_t w = (uint32_t)((uint64_t)width * SIDE / longer),
             h = (uint32_t)((uint64_t)height * SIDE / longer);
    w = w ? w : 1;
    h = h ? h : 1;
    bool smaller = width < w; /* the reader's program enlarges it */
    if (scarlet_image_resize(image, smaller ? width : w, smaller ? height : h,
                             SCARLET_FILTER_BILINEAR, &small, NULL))
        return NULL;
    const unsigned char *pixels = scarlet_image_pixels(small, &width, &height, &stride, NULL);
    unsigned char *dense = cli_alloc(height, 3 * (size_t)width);
    for (uint32_t y = 0; y < height; y++)
        memcpy(dense + y * 3 * (size_t)width, pixels + y * stride, 3 * (size_t)width);
    size_t size, length;
    char *text;
    FILE *out = cli_memory(&text, &length);
    unsigned char *file = png(dense, width, height, &size);
    fprintf(out, "<img alt=\"\" width=\"%u\" height=\"%u\" src=\"data:image/png;base64,", w, h);
    put_base64(out, file, size);
    fputs("\">", out);
    free(file);
    free(dense);
    scarlet_image_free(small);
    if (fclose(out) != 0)
        cli_out_of_memory();
    return text;
}
