/*
 * PNG by libpng, expanded to RGB by hand: the reference's rules for depths are not libpng's. libpng
 * gets a file made up of what the reference (Pillow) would use: it refuses much that the reference
 * passes over.
 *
 * Known differences: a stream of picture data that ends before the last row is refused; the
 * reference leaves the rest zero. Files load that the reference refuses for metadata it does not
 * understand. Colours that a palette lacks are black, as in new versions of the reference.
 */
#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "common/error.h"
#include "common/memory.h"
#include "image/png_file.h"

enum { SIGNATURE = 8, PIECE = 1024 };

typedef struct decoder {
    png_structp png;
    png_infop info;
    jmp_buf escape;
    scarlet__png_file file;
    scarlet_image *image;
    uint8_t piece[PIECE]; /* bytes that libpng gets next, before those of the file */
    size_t piece_at, piece_size;
    scarlet__chunk data; /* the chunk whose data libpng gets */
    uint32_t data_at;
    bool in_data;
    uint64_t rows;         /* of all passes, still to come */
    bool starved;          /* an allocation failed */
    scarlet_status status; /* why `escape` was taken; OK: the picture is whole */
    scarlet_error *err;
} decoder;

/* ---- callbacks ---- */

static void *on_alloc(png_structp png, png_alloc_size_t size)
{
    decoder *d = png_get_mem_ptr(png);
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
                                         d->file.window.source->name, text));
}

static void on_warning(png_structp png, const char *text)
{
    (void)png; /* libpng would print it */
    (void)text;
}

/* ---- what libpng reads ---- */

static void put(decoder *d, const void *bytes, size_t size)
{
    memcpy(d->piece + d->piece_size, bytes, size);
    d->piece_size += size;
}

static void put_be32(decoder *d, uint32_t v)
{
    const uint8_t bytes[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    put(d, bytes, sizeof bytes);
}

static void put_head(decoder *d, const char *kind, size_t length)
{
    put_be32(d, (uint32_t)length);
    put(d, kind, 4);
}

static void put_sum(decoder *d)
{
    put_be32(d, 0); /* libpng does not look at it */
}

/* The signature and IHDR; colours that are not used, since libpng wants some. */
static void put_begin(decoder *d)
{
    static const uint8_t signature[SIGNATURE] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    static const uint8_t colours[256][3];
    const scarlet__png_file *f = &d->file;
    const uint8_t kind[] = {(uint8_t)f->depth, (uint8_t)f->type, 0, 0, f->interlaced};
    put(d, signature, sizeof signature);
    put_head(d, "IHDR", 8 + sizeof kind);
    put_be32(d, f->width);
    put_be32(d, f->height);
    put(d, kind, sizeof kind);
    put_sum(d);
    if (f->type == PNG_COLOR_TYPE_PALETTE) {
        size_t size = sizeof *colours << f->depth;
        put_head(d, "PLTE", size);
        put(d, colours, size);
        put_sum(d);
    }
}

/* What follows the piece and the data that came last: a sum, the head of the next chunk, the end.
 */
static void put_next(decoder *d)
{
    const scarlet__source *source = d->file.window.source;
    d->piece_at = d->piece_size = 0;
    if (d->in_data) {
        put_sum(d);
        d->in_data = false;
    } else if (scarlet__png_data(&d->file, &d->data)) {
        if (d->data.length > source->size - d->data.at) /* as far as there are bytes */
            d->data.length = (uint32_t)(source->size - d->data.at);
        d->data_at = 0;
        d->in_data = true;
        put_head(d, "IDAT", d->data.length);
    } else {
        put_head(d, "IEND", 0);
        put_sum(d);
    }
}

static void on_read(png_structp png, uint8_t *out, size_t size)
{
    decoder *d = png_get_io_ptr(png);
    while (size > 0) {
        size_t left = d->piece_size - d->piece_at,
               rest = d->in_data ? d->data.length - d->data_at : 0;
        size_t count = left ? left : rest;
        if (count > size)
            count = size;
        if (left) {
            memcpy(out, d->piece + d->piece_at, count);
            d->piece_at += count;
        } else if (rest) {
            scarlet_status status =
                scarlet__window_read(&d->file.window, d->data.at + d->data_at, out, count, d->err);
            if (status != SCARLET_OK)
                escape(d, status);
            d->data_at += (uint32_t)count;
        } else {
            put_next(d);
        }
        out += count;
        size -= count;
    }
}

/* ---- expansion ---- */

/* count pixels, samples of 8 or 16 bits, to RGB, each `step` bytes after the one before. */
static void expand(const scarlet__png_file *f, const uint8_t *in, uint32_t count, uint8_t *out,
                   size_t step)
{
    size_t sample = f->depth == 16 ? 2 : 1; /* a 16-bit sample's first byte is its high one */
    switch (f->type) {
    case PNG_COLOR_TYPE_PALETTE:
        for (uint32_t x = 0; x < count; x++, out += step)
            memcpy(out, f->palette[in[x]], 3);
        break;
    case PNG_COLOR_TYPE_GRAY: {
        unsigned scale = f->depth < 8 ? 255u / ((1u << f->depth) - 1) : 1;
        for (uint32_t x = 0; x < count; x++, out += step) {
            unsigned v = in[x * sample] * scale;
            if (sample == 2) /* clipped, not scaled */
                v = v ? 255 : in[x * sample + 1];
            out[0] = out[1] = out[2] = (uint8_t)v;
        }
        break;
    }
    case PNG_COLOR_TYPE_GRAY_ALPHA:
        for (uint32_t x = 0; x < count; x++, in += 2 * sample, out += step)
            out[0] = out[1] = out[2] = in[0];
        break;
    default: { /* RGB, RGBA */
        size_t pixel = (f->type == PNG_COLOR_TYPE_RGB ? 3 : 4) * sample;
        for (uint32_t x = 0; x < count; x++, in += pixel, out += step) {
            out[0] = in[0];
            out[1] = in[sample];
            out[2] = in[2 * sample];
        }
        break;
    }
    }
}

static uint32_t members(uint32_t size, uint32_t start, uint32_t step)
{
    return size > start ? (size - start + step - 1) / step : 0;
}

/* The pixels of a pass, of the only one where the picture is not interlaced. */
typedef struct pass {
    uint8_t x, y, step_x, step_y;
} pass;
static const pass whole[] = {{0, 0, 1, 1}};
static const pass adam7[] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                             {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

/* libpng hands over the rows of each pass as they are; the pixels are put in place here, so that no
 * copy of the picture in its own depth is needed. After the last row nothing more is read: the
 * stream need not have an end. */
static void on_row(png_structp png, png_row_infop row, uint8_t *in)
{
    decoder *d = png_get_user_transform_ptr(png);
    const scarlet_image *image = d->image;
    const pass *p = d->file.interlaced ? &adam7[png_get_current_pass_number(png)] : whole;
    size_t y = p->y + (size_t)png_get_current_row_number(png) * p->step_y;
    expand(&d->file, in, row->width, image->owned + y * image->stride[0] + (size_t)p->x * 3,
           (size_t)p->step_x * 3);
    if (--d->rows == 0)
        escape(d, SCARLET_OK);
}

static uint64_t count_rows(const scarlet__png_file *f)
{
    const pass *first = f->interlaced ? adam7 : whole;
    size_t passes = f->interlaced ? sizeof adam7 / sizeof *adam7 : 1;
    uint64_t rows = 0;
    for (const pass *p = first; p < first + passes; p++)
        if (members(f->width, p->x, p->step_x))
            rows += members(f->height, p->y, p->step_y);
    return rows;
}

/* ---- decoding ---- */

static void start(decoder *d)
{
    png_structp png = d->png;
    png_set_read_fn(png, d, on_read);
    png_set_benign_errors(png, 1);
    png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    png_set_user_limits(png, INT32_MAX, INT32_MAX); /* the limit of pixels is ours */
    png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_set_packing(png);
    png_set_read_user_transform_fn(png, on_row);
    png_set_user_transform_info(png, d, 0, 0);
    put_begin(d);
    png_read_info(png, d->info);
    png_read_update_info(png, d->info);
}

static scarlet_status read_rows(decoder *d)
{
    if (setjmp(d->escape))
        return d->status;
    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, on_error, on_warning, d, on_alloc,
                                      on_free);
    d->info = d->png ? png_create_info_struct(d->png) : NULL;
    if (!d->info && d->starved)
        return scarlet__fail_memory(d->err);
    if (!d->info)
        return scarlet__fail(
            d->err, SCARLET_ERROR_UNSUPPORTED,
            "libpng %s is not of the kind this library was built with, " PNG_LIBPNG_VER_STRING,
            png_get_libpng_ver(NULL));
    start(d);
    for (;;) /* until a callback leaves it */
        png_read_row(d->png, NULL, NULL);
}

static scarlet_status decode(decoder *d, const scarlet__decoding *how, int *orientation)
{
    scarlet__png_file *f = &d->file;
    const scarlet__source *source = f->window.source;
    scarlet__png_marks marks = {0};
    scarlet_status status = scarlet__png_begin(f, orientation ? &marks : NULL, d->err);
    if (status == SCARLET_OK)
        status = scarlet__image_fits(source->name, f->width, f->height, how->max_pixels, d->err);
    if (status != SCARLET_OK)
        return status;
    /* Deflate makes at most 1032 bytes of one: a file that cannot hold its rows is found before
     * memory is taken for them. */
    static const uint8_t channels[] = {[PNG_COLOR_TYPE_GRAY] = 1,
                                       [PNG_COLOR_TYPE_RGB] = 3,
                                       [PNG_COLOR_TYPE_PALETTE] = 1,
                                       [PNG_COLOR_TYPE_GRAY_ALPHA] = 2,
                                       [PNG_COLOR_TYPE_RGB_ALPHA] = 4};
    uint64_t bits = (uint64_t)f->width * channels[f->type] * (unsigned)f->depth, bytes;
    if (__builtin_mul_overflow((bits + 7) / 8, (uint64_t)f->height, &bytes) ||
        bytes / 1032 > source->size)
        return scarlet__fail(d->err, SCARLET_ERROR_CORRUPT,
                             "%s: damaged PNG: %llu bytes cannot hold %lu x %lu pixels",
                             source->name, (unsigned long long)source->size,
                             (unsigned long)f->width, (unsigned long)f->height);
    status = scarlet__image_new(f->width, f->height, &d->image, d->err);
    d->rows = count_rows(f);
    if (status == SCARLET_OK)
        status = read_rows(d);
    /* Where there were EXIF data before the picture the reference does not look behind it. */
    if (status == SCARLET_OK)
        status = scarlet__png_end(f, orientation && !marks.has_exif ? &marks : NULL, d->err);
    if (status == SCARLET_OK && orientation)
        *orientation = scarlet__png_orientation(&marks);
    return status;
}

scarlet_status scarlet__png_decode(const scarlet__source *source, const scarlet__decoding *how,
                                   int *orientation, scarlet_image **out, scarlet_error *err)
{
    *out = NULL;
    decoder *d = scarlet__calloc(1, sizeof *d);
    if (!d)
        return scarlet__fail_memory(err);
    d->file.window.source = source;
    d->file.window.end = source->size;
    d->err = err;
    scarlet_status status = decode(d, how, orientation);
    png_destroy_read_struct(&d->png, &d->info, NULL);
    if (status == SCARLET_OK)
        *out = d->image;
    else
        scarlet_image_free(d->image);
    scarlet__free(d);
    return status;
}
