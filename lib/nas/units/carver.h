/* Handing out pieces of one block of floats; with no block yet, only counting them. */
#ifndef SCARLET_NAS_UNITS_CARVER_H
#define SCARLET_NAS_UNITS_CARVER_H

#include <stddef.h>

typedef struct scarlet__carver {
    float *at; /* NULL: only count */
    size_t used;
} scarlet__carver;

/* `count` floats on a cache line of their own. */
static inline float *scarlet__carve(scarlet__carver *arena, size_t count)
{
    float *piece = arena->at ? arena->at + arena->used : NULL;
    arena->used += (count + 15) / 16 * 16;
    return piece;
}

#endif
