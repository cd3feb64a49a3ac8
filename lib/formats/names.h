/* Things found by name. */
#ifndef SCARLET_FORMATS_NAMES_H
#define SCARLET_FORMATS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Name of the i-th of `items`. */
typedef const char *(*scarlet__name_fn)(const void *items, uint32_t i);

typedef struct scarlet__names {
    const void *items;
    scarlet__name_fn name_of;
    uint64_t *hash; /* of each item's name */
    uint32_t
        *order; /* positions of the items sorted by hash and name, equal names in their order */
    size_t count;
} scarlet__names;

/* False if out of memory. The items must stay where they are. Free it in either case. */
bool scarlet__names_index(scarlet__names *names, const void *items, size_t count,
                          scarlet__name_fn name_of);
void scarlet__names_free(scarlet__names *names);

/* Number of items of this name: order[*first], order[*first + 1] ... */
size_t scarlet__names_find(const scarlet__names *names, const char *name, size_t *first);
/* A name that more than one item has, or NULL. */
const char *scarlet__names_twice(const scarlet__names *names);

#endif
