/*
 * The working memory of an executor: one block, cut into buffers.
 *
 * It is cut twice by the same function: before there is memory, which adds up the sizes, and after
 * scarlet__buffers_take, which hands out the addresses.
 */
#ifndef SCARLET_ENGINE_BUFFERS_H
#define SCARLET_ENGINE_BUFFERS_H

#include <stddef.h>

#include "scarlet/scarlet.h"

/* Begins as {0}. Free with scarlet__pages_free(memory, bytes). */
typedef struct scarlet__buffers {
    char *memory; /* NULL: sizes are being added up */
    size_t bytes; /* of all buffers */
    size_t used;
} scarlet__buffers;

/* The next buffer, `count` values of `size` bytes: zeroed, aligned to 64 bytes, and readable 16
 * bytes past its end (XNNPACK reads that far). NULL before scarlet__buffers_take. */
void *scarlet__buffer(scarlet__buffers *b, size_t count, size_t size);

/* Takes memory for all buffers that have been asked for; they are asked for again, in the same
 * order. Errors: LIMIT (with the `taken` bytes that the session has already, more than `limit`),
 * MEMORY. */
scarlet_status scarlet__buffers_take(scarlet__buffers *b, size_t taken, size_t limit,
                                     scarlet_error *err);

/* LIMIT if a session of so many bytes is not allowed. */
scarlet_status scarlet__session_fits(size_t bytes, size_t limit, scarlet_error *err);

#endif
