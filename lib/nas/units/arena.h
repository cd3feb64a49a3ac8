/* Handing out pieces of one block of floats; with no block yet, only counting them. */
#ifndef SCARLET_NAS_UNITS_ARENA_H
#define SCARLET_NAS_UNITS_ARENA_H

#include <stddef.h>

typedef struct scarlet__arena {
    float *at; /* NULL: only count */
    size_t used;
} scarlet__arena;

/* `count` floats on a cache line of their own. */
static inline float *scarlet__carve(scarlet__arena *arena, size_t count)
{
    float *piece = arena->at ? arena->at + arena->used : NULL;
    arena->used += (count + 15) / 16 * 16;
    return piece;
}

#endif
