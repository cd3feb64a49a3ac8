/* Memory that is freed all at once. */
#ifndef SCARLET_FORMATS_ARENA_H
#define SCARLET_FORMATS_ARENA_H

#include <stdbool.h>
#include <stddef.h>

typedef struct scarlet__arena {
    struct scarlet__arena_block *blocks;
    size_t left;   /* bytes unused in the newest block */
    size_t budget; /* bytes that may still be taken */
    bool spent;    /* an allocation failed for want of budget, not of the machine's memory */
} scarlet__arena;

/* count * size bytes for any type; NULL beyond the budget or out of memory. */
void *scarlet__arena_alloc(scarlet__arena *arena, size_t count, size_t size);
void scarlet__arena_free(scarlet__arena *arena);

#endif
