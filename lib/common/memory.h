/* Every allocation of libscarlet's own code. */
#ifndef SCARLET_COMMON_MEMORY_H
#define SCARLET_COMMON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* count * size bytes, uninitialised; NULL if that wraps or cannot be had. 0 bytes give a pointer
 * that may be freed. */
void *scarlet__alloc(size_t count, size_t size);
/* The same, zeroed. */
void *scarlet__calloc(size_t count, size_t size);
/* On failure the old block stays. */
void *scarlet__realloc(void *block, size_t count, size_t size);
void scarlet__free(void *block);
/* Copy of the first `length` bytes of `text` with a NUL behind. */
char *scarlet__strndup(const char *text, size_t length);
char *scarlet__strdup(const char *text);

/* Zeroed memory aligned to 64 bytes; large blocks are aligned to, and ask the kernel for, huge
 * pages. For weights and activations. Free with scarlet__pages_free and the same size. */
void *scarlet__pages_alloc(size_t size);
/* What such a block of `size` bytes really takes. */
size_t scarlet__pages_size(size_t size);
void scarlet__pages_free(void *block, size_t size);

/* Grows an array for at least one more item, doubling: *items and *capacity are updated; false if
 * out of memory (both stay) or if `limit` items are reached. */
bool scarlet__grow(void **items, size_t *capacity, size_t count, size_t size, size_t limit);

/* Test hook: asked before each allocation; false makes it fail. NULL (the default): never fails
 * by will. Not for use while other threads allocate. */
extern bool (*scarlet__alloc_gate)(size_t size);

#endif
