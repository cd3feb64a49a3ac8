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

scarlet_status scarlet__buffers_take(scarlet__buffers *b, scarlet_error *err)
{
    b->bytes = b->used;
    b->used = 0;
    b->memory = scarlet__pages_alloc(b->bytes);
    return b->memory ? SCARLET_OK : scarlet__fail_memory(err);
}
