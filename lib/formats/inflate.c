#include "formats/inflate.h"

#include "common/error.h"

#ifdef SCARLET__ZLIB

#include <zlib.h>

#include "common/memory.h"

enum { PIECE = 16384 };

const bool scarlet__inflate_built = true;

static void *allocate(void *user, uInt count, uInt size)
{
    (void)user;
    return scarlet__alloc(count, size);
}

static void release(void *user, void *block)
{
    (void)user;
    scarlet__free(block);
}

static scarlet_status bad(const scarlet__source *source, const char *what, scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: %s: its compressed data are damaged",
                         source->name, what);
}

scarlet_status scarlet__inflate(const scarlet__source *source, uint64_t offset, uint64_t packed,
                                const char *what, uint8_t *out, size_t size, scarlet_error *err)
{
    z_stream z = {.zalloc = allocate, .zfree = release};
    uint8_t piece[PIECE], beyond;
    size_t left = size; /* of `out`, beside what zlib has been given */
    int result = inflateInit2(&z, -MAX_WBITS);
    if (result != Z_OK)
        return scarlet__fail_memory(err);
    z.next_out = out;
    scarlet_status status = SCARLET_OK;
    while (status == SCARLET_OK && result != Z_STREAM_END) {
        if (z.avail_in == 0 && packed) {
            z.avail_in = packed < PIECE ? (uInt)packed : PIECE;
            z.next_in = piece;
            status = scarlet__source_read(source, offset, piece, z.avail_in, err);
            offset += z.avail_in;
            packed -= z.avail_in;
            if (status != SCARLET_OK)
                break;
        }
        if (z.avail_out == 0 && left) {
            z.avail_out = left < 1u << 30 ? (uInt)left : 1u << 30;
            left -= z.avail_out;
        } else if (z.avail_out == 0) { /* all is there: only the end of the data may follow */
            z.next_out = &beyond;
            z.avail_out = 1;
        }
        result = inflate(&z, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR)
            status = scarlet__fail_memory(err);
        else if (z.next_out == &beyond + 1 || (result != Z_OK && result != Z_STREAM_END))
            status = bad(source, what, err);
    }
    if (status == SCARLET_OK && (left || (z.next_out != &beyond && z.avail_out)))
        status = bad(source, what, err);
    inflateEnd(&z);
    return status;
}

#else

const bool scarlet__inflate_built = false;

scarlet_status scarlet__inflate(const scarlet__source *source, uint64_t offset, uint64_t packed,
                                const char *what, uint8_t *out, size_t size, scarlet_error *err)
{
    (void)offset, (void)packed, (void)out, (void)size;
    return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                         "%s: %s: is compressed; this build has no zlib", source->name, what);
}

#endif
