/*
 * PNG by libpng, expanded to RGB by hand: the reference's rules for depths are not libpng's.
 *
 * Known differences: libpng refuses some damaged or illegal files that the reference (Pillow)
 * loads: compression method 1, interlace method 2, a palette picture without PLTE, and picture data
 * that lack their proper end although every row is there, or end between rows.
 */
#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "common/error.h"
#include "common/memory.h"
#include "image/image.h"

typedef struct decoder {
    png_structp png;
    png_infop info;
    jmp_buf escape;
    scarlet__window window; /* of the file: chunks may be many and small */
    uint64_t next;          /* place in the file */
    uint32_t width, height;
    int type, depth;
    uint8_t palette[256][3]; /* black where the file has no entry */
    scarlet_image *image;
    uint8_t *line;   /* a row as libpng gives it: samples of 8 or 16 bits */
    uint8_t *sparse; /* an interlaced row as RGB */
    bool starved;    /* an allocation failed */
    scarlet_status status;
    scarlet_error *err;
} decoder;

/* ---- callbacks ---- */

/* Before it knows the size of the picture libpng needs memory for itself and for a chunk to keep;
 * for that (eXIf) it asks before it has seen the bytes, be the chunk longer than the file. */
static void *on_alloc(png_structp png, png_alloc_size_t size)
{
    enum { ITS_OWN = 1 << 20 };
    decoder *d = png_get_mem_ptr(png);
    if (!d->width && size > d->window.source->size + ITS_OWN)
        return NULL; /* the chunk is passed over */
    void *block = scarlet__alloc(size, 1);
    d->starved = d->starved || !block;
    return block;
}

static void on_free(png_structp png, void *block)
{
    (void)png;
    scarlet__free(block);
}

static _Noreturn void escape(decoder *d, scarlet_status status)
{
    d->status = status;
    longjmp(d->escape, 1);
}

static _Noreturn void on_error(png_structp png, const char *text)
{
    decoder *d = png_get_error_ptr(png);
    escape(d, d->starved ? scarlet__fail_memory(d->err)
                         : scarlet__fail(d->err, SCARLET_ERROR_CORRUPT, "%s: damaged PNG: %s",
                                         d->window.source->name, text));
}

static void on_warning(png_structp png, const char *text)
{
    (void)png; /* libpng would print it */
    (void)text;
}

static void on_read(png_structp png, uint8_t *out, size_t size)
{
    decoder *d = png_get_io_ptr(png);
    scarlet_status status = scarlet__window_read(&d->window, d->next, out, size, d->err);
    if (status != SCARLET_OK)
        escape(d, status);
    d->next += size;
}

/* ---- expansion ---- */

/* count pixels of `line` to RGB. */
static void expand(const decoder *d, uint32_t count, uint8_t *out)
{
    const uint8_t *in = d->line;
    size_t sample = d->depth == 16 ? 2 : 1; /* a 16-bit sample's first byte is its high one */
    switch (d->type) {
    case PNG_COLOR_TYPE_PALETTE:
        for (uint32_t x = 0; x < count; x++, out += 3)
            memcpy(out, d->palette[in[x]], 3);
        break;
    case PNG_COLOR_TYPE_GRAY: {
        unsigned scale = d->depth < 8 ? 255u / ((1u << d->depth) - 1) : 1;
        for (uint32_t x = 0; x < count; x++, out += 3) {
            unsigned v = in[x * sample] * scale;
            if (sample == 2) /* clipped, not scaled */
                v = v ? 255 : in[x * sample + 1];
            out[0] = out[1] = out[2] = (uint8_t)v;
        }
        break;
    }
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        for (uint32_t x = 0; x < count; x++, in += 2 * sample, out += 3)
            out[0] = out[1] = out[2] = in[0];
        break;
    default: { /* RGB, RGBA */
        size_t pixel = (d->type == PNG_COLOR_TYPE_RGB ? 3 : 4) * sample;
        for (uint32_t x = 0; x < count; x++, in += pixel, out += 3) {
            out[0] = in[0];
            out[1] = in[sample];
            out[2] = in[2 * sample];
        }
        break;
    }
    }
}

static void read_rows(decoder *d)
{
    for (uint32_t y = 0; y < d->height; y++) {
        png_read_row(d->png, d->line, NULL);
        expand(d, d->width, d->image->owned + y * d->image->stride[0]);
    }
}

static uint32_t members(uint32_t size, uint32_t start, uint32_t step)
{
    return size > start ? (size - start + step - 1) / step : 0;
}

/* libpng hands over the rows of each pass as they are; the pixels are put in place here, so that no
 * copy of the picture in its own depth is needed. */
static void read_interlaced(decoder *d)
{
    static const struct {
        uint8_t x, y, step_x, step_y;
    } adam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                 {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    size_t stride = d->image->stride[0];
    for (size_t p = 0; p < sizeof adam7 / sizeof *adam7; p++) {
        uint32_t columns = members(d->width, adam7[p].x, adam7[p].step_x);
        if (columns == 0)
            continue;
        for (size_t y = adam7[p].y; y < d->height; y += adam7[p].step_y) {
            png_read_row(d->png, d->line, NULL);
            expand(d, columns, d->sparse);
            uint8_t *out = d->image->owned + y * stride + (size_t)adam7[p].x * 3;
            for (uint32_t x = 0; x < columns; x++, out += (size_t)adam7[p].step_x * 3)
                memcpy(out, d->sparse + (size_t)x * 3, 3);
        }
    }
}

/* ---- decoding ---- */

static int find_orientation(decoder *d)
{
    png_uint_32 size = 0;
    png_bytep data = NULL;
    if (!png_get_eXIf_1(d->png, d->info, &size, &data) || !data)
        return 0;
    return scarlet__exif_orientation(data, size);
}

/* The reference walks through the chunks after the rows. One that the end of the file cuts off is
 * an error there; a file without an end, or bytes that are no chunk, are not. */
static scarlet_status check_tail(decoder *d)
{
    for (uint64_t at = d->next; at < d->window.source->size && d->window.source->size - at >= 8;) {
        uint8_t head[8];
        scarlet_status status = scarlet__window_read(&d->window, at, head, sizeof head, d->err);
        if (status != SCARLET_OK || memcmp(head + 4, "IEND", 4) == 0)
            return status;
        for (int i = 4; i < 8; i++)
            if (!(head[i] >= '0' && head[i] <= '9') && !(head[i] >= 'A' && head[i] <= 'Z') &&
                !(head[i] >= 'a' && head[i] <= 'z') && head[i] != '_')
                return SCARLET_OK;
        uint32_t length =
            (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
        if (length > d->window.source->size - at - 8)
            return scarlet__fail(d->err, SCARLET_ERROR_CORRUPT,
                                 "%s: damaged PNG: the file ends at byte %llu, inside chunk %.4s "
                                 "at byte %llu",
                                 d->window.source->name, (unsigned long long)d->window.source->size,
                                 (const char *)head + 4, (unsigned long long)at);
        at += 8 + (uint64_t)length + 4;
    }
    return SCARLET_OK;
}

static scarlet_status decode(decoder *d, const scarlet__decoding *how, int *orientation)
{
    if (setjmp(d->escape))
        return d->status;

    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, on_error, on_warning, d, on_alloc,
                                      on_free);
    d->info = d->png ? png_create_info_struct(d->png) : NULL;
    if (!d->info)
        return scarlet__fail_memory(d->err);
    png_structp png = d->png;
    png_set_read_fn(png, d, on_read);
    png_set_benign_errors(png, 1);
    png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    /* The limit of pixels is ours. Chunks that do not matter are checked and dropped, not kept;
     * none may be longer than the file. */
    png_set_user_limits(png, INT32_MAX, INT32_MAX);
    png_set_chunk_malloc_max(
        png, d->window.source->size < INT32_MAX ? (size_t)d->window.source->size : INT32_MAX);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    if (orientation)
        png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, (png_const_bytep) "eXIf", 1);

    /* The reference checks the sums up to the picture data, none later. */
    png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(png, d->info);
    png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);

    d->width = png_get_image_width(png, d->info);
    d->height = png_get_image_height(png, d->info);
    d->type = png_get_color_type(png, d->info);
    d->depth = png_get_bit_depth(png, d->info);
    scarlet_status status =
        scarlet__image_fits(d->window.source->name, d->width, d->height, how->max_pixels, d->err);
    if (status != SCARLET_OK)
        return status;
    /* Deflate makes at most 1032 bytes of one: a file that cannot hold its rows is found before
     * memory is taken for them. */
    uint64_t bits = (uint64_t)d->width * png_get_channels(png, d->info) * (unsigned)d->depth, bytes;
    if (__builtin_mul_overflow((bits + 7) / 8, (uint64_t)d->height, &bytes) ||
        bytes / 1032 > d->window.source->size)
        return scarlet__fail(d->err, SCARLET_ERROR_CORRUPT,
                             "%s: damaged PNG: %llu bytes cannot hold %lu x %lu pixels",
                             d->window.source->name, (unsigned long long)d->window.source->size,
                             (unsigned long)d->width, (unsigned long)d->height);
    if (orientation)
        *orientation = find_orientation(d);
    if (d->type == PNG_COLOR_TYPE_PALETTE) {
        png_colorp entries = NULL;
        int count = 0;
        png_get_PLTE(png, d->info, &entries, &count);
        for (int i = 0; i < count && i < 256; i++) {
            d->palette[i][0] = entries[i].red;
            d->palette[i][1] = entries[i].green;
            d->palette[i][2] = entries[i].blue;
        }
    }
    png_set_packing(png);
    png_read_update_info(png, d->info);

    bool interlaced = png_get_interlace_type(png, d->info) != PNG_INTERLACE_NONE;
    status = scarlet__image_new(d->width, d->height, &d->image, d->err);
    if (status != SCARLET_OK)
        return status;
    d->line = scarlet__alloc(png_get_rowbytes(png, d->info), 1);
    d->sparse = interlaced ? scarlet__alloc(d->width, 3) : NULL;
    if (!d->line || (interlaced && !d->sparse))
        return scarlet__fail_memory(d->err);
    if (interlaced)
        read_interlaced(d);
    else
        read_rows(d);
    return check_tail(d);
}

scarlet_status scarlet__png_decode(const scarlet__source *source, const scarlet__decoding *how,
                                   int *orientation, scarlet_image **out, scarlet_error *err)
{
    *out = NULL;
    decoder *d = scarlet__calloc(1, sizeof *d);
    if (!d)
        return scarlet__fail_memory(err);
    d->window.source = source;
    d->window.end = source->size;
    d->err = err;
    scarlet_status status = decode(d, how, orientation);
    png_destroy_read_struct(&d->png, &d->info, NULL);
    if (status == SCARLET_OK)
        *out = d->image;
    else
        scarlet_image_free(d->image);
    scarlet__free(d->line);
    scarlet__free(d->sparse);
    scarlet__free(d);
    return status;
}
