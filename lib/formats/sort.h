/* Sorting by index, safe on hostile input. */
#ifndef SCARLET_FORMATS_SORT_H
#define SCARLET_FORMATS_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most tensors, metadata entries, storages or zip entries of a file. A SCARLET checkpoint with its
 * optimizer has under 2,000. */
enum { SCARLET__ENTRIES_MAX = 65536 };

/* Whether item a of `items` belongs before item b. */
typedef bool (*scarlet__before_fn)(const void *items, uint32_t a, uint32_t b);

/* The numbers 0 .. count-1 in the order of the items they stand for; NULL if out of memory. Free
 * with scarlet__free. Takes O(count log count) comparisons whatever the order is at first. */
uint32_t *scarlet__sorted(const void *items, size_t count, scarlet__before_fn before);

#endif
