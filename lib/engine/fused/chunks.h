/* Cutting channels into runs of whole vectors, as even as can be: 8 vectors in runs of at most 3
 * are 3, 3, 2. */
#ifndef SCARLET_ENGINE_FUSED_CHUNKS_H
#define SCARLET_ENGINE_FUSED_CHUNKS_H

#include <stddef.h>

typedef struct scarlet__chunks {
    size_t vector; /* floats */
    size_t padded; /* channels: whole vectors */
    size_t count;
    size_t base, extra; /* vectors of a chunk; the first `extra` chunks have one more */
} scarlet__chunks;

static inline scarlet__chunks scarlet__cut(size_t channels, size_t vector, size_t most)
{
    size_t vectors = (channels + vector - 1) / vector, count = (vectors + most - 1) / most;
    return (scarlet__chunks){vector, vectors * vector, count, vectors / count, vectors % count};
}

static inline size_t scarlet__chunk_vectors(const scarlet__chunks *c, size_t i)
{
    return c->base + (i < c->extra);
}

static inline size_t scarlet__chunk_width(const scarlet__chunks *c, size_t i)
{
    return scarlet__chunk_vectors(c, i) * c->vector;
}

/* First channel of chunk i. */
static inline size_t scarlet__chunk_offset(const scarlet__chunks *c, size_t i)
{
    return (i * c->base + (i < c->extra ? i : c->extra)) * c->vector;
}

#endif
