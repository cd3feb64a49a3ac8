/* All allocations of libscarlet's own code go through here. */
#ifndef SCARLET_COMMON_MEMORY_H
#define SCARLET_COMMON_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* count * size bytes, uninitialised; NULL if the product wraps or there is no memory. For 0 bytes,
 * a pointer that may be freed. */
void *scarlet__alloc(size_t count, size_t size);
/* Zeroed. */
void *scarlet__calloc(size_t count, size_t size);
/* On failure the old block stays. */
void *scarlet__realloc(void *block, size_t count, size_t size);
void scarlet__free(void *block);
/* Copy of the first `length` bytes of `text`, followed by a NUL. */
char *scarlet__strndup(const char *text, size_t length);
char *scarlet__strdup(const char *text);

/* Zeroed memory aligned to 64 bytes; large blocks are aligned to, and ask the kernel for, huge
 * pages. For weights and activations. Free with scarlet__pages_free and the same size. */
void *scarlet__pages_alloc(size_t size);
/* Bytes that such a block really takes. */
size_t scarlet__pages_size(size_t size);
void scarlet__pages_free(void *block, size_t size);

/* Makes room in an array for at least one more item, doubling its capacity up to `limit` items.
 * False, with *items and *capacity unchanged, at the limit or if out of memory. */
bool scarlet__grow(void **items, size_t *capacity, size_t count, size_t size, size_t limit);

/* Test hook, called before each allocation: false makes it fail. NULL (the default): none fails on
 * purpose. Not to be set while other threads allocate. */
extern bool (*scarlet__alloc_gate)(size_t size);

#endif
