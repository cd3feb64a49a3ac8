/* Unpacking deflated zip entries. A build without SCARLET__ZLIB (a page of the web) refuses them.
 */
#ifndef SCARLET_FORMATS_INFLATE_H
#define SCARLET_FORMATS_INFLATE_H

#include <stdbool.h>

#include "common/io.h"

extern const bool scarlet__inflate_built;

/* Unpacks `packed` bytes of raw deflate data at `offset` into exactly `size` bytes. CORRUPT if they
 * do not unpack, or into another number of bytes; `what` is for the message. */
scarlet_status scarlet__inflate(const scarlet__source *source, uint64_t offset, uint64_t packed,
                                const char *what, uint8_t *out, size_t size, scarlet_error *err);

#endif
