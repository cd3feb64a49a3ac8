#include "engine/buffers.h"

#include "common/error.h"
#include "common/memory.h"
#include "engine/pack.h"

enum { ALIGNMENT = 64, SLACK = 16 };

void *scarlet__buffer(scarlet__buffers *b, size_t count, size_t size)
{
    void *at = b->memory ? b->memory + b->used : NULL;
    /* Sides, channels and threads are bounded: all buffers together stay far below 2^60 bytes. */
    b->used += scarlet__round_up(count * size + SLACK, ALIGNMENT);
    return at;
}

scarlet_status scarlet__session_fits(size_t bytes, size_t limit, scarlet_error *err)
{
    if (bytes <= limit)
        return SCARLET_OK;
    return scarlet__fail(
        err, SCARLET_ERROR_LIMIT,
        "a session would take at least %zu bytes, more than the option max_memory, %zu", bytes,
        limit);
}

scarlet_status scarlet__buffers_take(scarlet__buffers *b, size_t taken, size_t limit,
                                     scarlet_error *err)
{
    scarlet_status status = scarlet__session_fits(taken + b->used, limit, err);
    if (status != SCARLET_OK)
        return status;
    b->bytes = b->used;
    b->used = 0;
    b->memory = scarlet__pages_alloc(b->bytes);
    return b->memory ? SCARLET_OK : scarlet__fail_memory(err);
}
