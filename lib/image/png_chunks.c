#include <string.h>

#include <zlib.h>

#include "common/error.h"
#include "image/png_file.h"

enum { SIGNATURE = 8, HEAD = 8, SUM = 4, IHDR = 13, ANIMATION = 4 };
enum { TYPE_RGB = 2, TYPE_PALETTE = 3, TYPE_GRAY_ALPHA = 4, TYPE_RGBA = 6 };

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static scarlet_status damaged(const scarlet__png_file *f, const char *what, scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: damaged PNG: %s", f->window.source->name,
                         what);
}

/* The chunk that begins at `next`. */
static scarlet_status look(scarlet__png_file *f, scarlet__chunk *chunk, scarlet_error *err)
{
    uint8_t head[HEAD];
    scarlet_status status = scarlet__window_read(&f->window, f->next, head, sizeof head, err);
    if (status != SCARLET_OK)
        return status;
    memcpy(chunk->kind, head + 4, sizeof chunk->kind);
    chunk->at = f->next + HEAD;
    chunk->length = be32(head);
    return SCARLET_OK;
}

static void pass(scarlet__png_file *f, const scarlet__chunk *chunk)
{
    f->next = chunk->at + chunk->length + SUM;
}

/* Whether there may be a chunk of this name. */
static bool named(const scarlet__chunk *chunk)
{
    for (size_t i = 0; i < sizeof chunk->kind; i++) {
        char c = chunk->kind[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
            c != '_')
            return false;
    }
    return true;
}

/* ---- before the picture data ---- */

static scarlet_status check_sum(scarlet__png_file *f, const scarlet__chunk *chunk,
                                scarlet_error *err)
{
    uint8_t block[4096], sum[SUM];
    uLong crc = crc32(0, (const Bytef *)chunk->kind, sizeof chunk->kind);
    for (uint32_t done = 0; done < chunk->length;) {
        uint32_t size = chunk->length - done;
        if (size > sizeof block)
            size = sizeof block;
        scarlet_status status =
            scarlet__window_read(&f->window, chunk->at + done, block, size, err);
        if (status != SCARLET_OK)
            return status;
        crc = crc32(crc, block, size);
        done += size;
    }
    scarlet_status status =
        scarlet__window_read(&f->window, chunk->at + chunk->length, sum, sizeof sum, err);
    if (status == SCARLET_OK && be32(sum) != crc)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "%s: damaged PNG: wrong checksum of chunk %.4s at byte %llu",
                             f->window.source->name, chunk->kind,
                             (unsigned long long)(chunk->at - HEAD));
    return status;
}

static bool legal(int type, int depth)
{
    switch (type) {
    case 0:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case TYPE_PALETTE:
        return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case TYPE_RGB:
    case TYPE_GRAY_ALPHA:
    case TYPE_RGBA:
        return depth == 8 || depth == 16;
    default:
        return false;
    }
}

/* Whatever follows its 13 bytes does not matter, nor that there was an IHDR before. */
static scarlet_status read_header(scarlet__png_file *f, const scarlet__chunk *chunk,
                                  scarlet_error *err)
{
    uint8_t data[IHDR];
    if (chunk->length < sizeof data)
        return damaged(f, "IHDR is too short", err);
    scarlet_status status = scarlet__window_read(&f->window, chunk->at, data, sizeof data, err);
    if (status != SCARLET_OK)
        return status;
    f->width = be32(data);
    f->height = be32(data + 4);
    if (legal(data[9], data[8])) {
        f->depth = data[8];
        f->type = data[9];
    }
    if (data[11])
        return damaged(f, "unknown filter method", err);
    f->interlaced = f->interlaced || data[12];
    return SCARLET_OK;
}

/* The last one counts, as far as its entries are whole. */
static scarlet_status read_palette(scarlet__png_file *f, const scarlet__chunk *chunk,
                                   scarlet_error *err)
{
    if (f->type != TYPE_PALETTE)
        return SCARLET_OK;
    f->colours = chunk->length / sizeof *f->palette;
    size_t size = f->colours * sizeof *f->palette;
    memset(f->palette, 0, sizeof f->palette);
    return scarlet__window_read(&f->window, chunk->at, f->palette,
                                size < sizeof f->palette ? size : sizeof f->palette, err);
}

static scarlet_status read_animation(scarlet__png_file *f, const scarlet__chunk *chunk,
                                     scarlet_error *err)
{
    uint8_t frames[ANIMATION];
    bool again = f->frames > 0;
    f->frames = 0;
    if (again || chunk->length < sizeof frames) /* twice is none */
        return SCARLET_OK;
    scarlet_status status = scarlet__window_read(&f->window, chunk->at, frames, sizeof frames, err);
    f->frames = status == SCARLET_OK ? be32(frames) : 0;
    return status;
}

scarlet_status scarlet__png_begin(scarlet__png_file *f, scarlet__png_marks *marks,
                                  scarlet_error *err)
{
    f->next = SIGNATURE;
    for (;;) {
        scarlet__chunk chunk;
        scarlet_status status = look(f, &chunk, err);
        if (status != SCARLET_OK)
            return status;
        if (!named(&chunk))
            return damaged(f, "a chunk whose name is none", err);
        if (scarlet__chunk_is(&chunk, "IEND"))
            return damaged(f, "no picture data", err);
        if (scarlet__chunk_is(&chunk, "IDAT"))
            break;
        status = check_sum(f, &chunk, err);
        if (status == SCARLET_OK && scarlet__chunk_is(&chunk, "IHDR"))
            status = read_header(f, &chunk, err);
        if (status == SCARLET_OK && scarlet__chunk_is(&chunk, "PLTE"))
            status = read_palette(f, &chunk, err);
        if (status == SCARLET_OK && scarlet__chunk_is(&chunk, "acTL"))
            status = read_animation(f, &chunk, err);
        f->framed = f->framed || scarlet__chunk_is(&chunk, "fcTL");
        if (status == SCARLET_OK && marks)
            status = scarlet__png_mark(marks, &f->window, &chunk, err);
        if (status != SCARLET_OK)
            return status;
        pass(f, &chunk);
    }
    if (f->depth == 0 || f->width == 0 || f->height == 0)
        return damaged(f, "no legal IHDR before the picture data", err);
    if (f->colours > sizeof f->palette / sizeof *f->palette)
        return damaged(f, "a palette of more than 256 colours", err);
    return SCARLET_OK;
}

/* ---- from the picture data on ---- */

bool scarlet__png_data(scarlet__png_file *f, scarlet__chunk *chunk)
{
    if (look(f, chunk, NULL) != SCARLET_OK || !scarlet__chunk_is(chunk, "IDAT"))
        return false;
    pass(f, chunk);
    return true;
}

/* A chunk that the end of the file cuts off is an error to the reference; a file without an end, or
 * bytes that are no chunk, are not. Of an animation it reads one frame. */
scarlet_status scarlet__png_end(scarlet__png_file *f, scarlet__png_marks *marks, scarlet_error *err)
{
    const scarlet__source *source = f->window.source;
    bool animated = f->frames > 0 && f->frames + !f->framed > 1;
    while (f->next < source->size && source->size - f->next >= HEAD) {
        scarlet__chunk chunk;
        scarlet_status status = look(f, &chunk, err);
        if (status != SCARLET_OK)
            return status;
        if (!named(&chunk) || scarlet__chunk_is(&chunk, "IEND") ||
            (animated && scarlet__chunk_is(&chunk, "fcTL")))
            break;
        if (chunk.length > source->size - chunk.at)
            return scarlet__fail(
                err, SCARLET_ERROR_CORRUPT,
                "%s: cut short: the PNG ends at byte %llu, inside chunk %.4s at byte %llu",
                source->name, (unsigned long long)source->size, chunk.kind,
                (unsigned long long)f->next);
        if (marks)
            status = scarlet__png_mark(marks, &f->window, &chunk, err);
        if (status != SCARLET_OK)
            return status;
        pass(f, &chunk);
    }
    return SCARLET_OK;
}
