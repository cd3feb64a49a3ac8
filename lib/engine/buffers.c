#include "engine/buffers.h"

#include "common/error.h"
#include "common/memory.h"
#include "engine/kernels/kernels.h"
#include "engine/pack.h"

static size_t room(const scarlet__buffer *buffer)
{
    const size_t slack = 4; /* floats */
    return scarlet__round_up(buffer->floats + slack, SCARLET__VECTOR_MAX);
}

scarlet_status scarlet__buffers_take(const scarlet__buffer *buffer, size_t count, float **memory,
                                     size_t *bytes, scarlet_error *err)
{
    /* Sides, channels and threads are bounded: each buffer stays far below 2^56 floats. */
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += room(&buffer[i]);
    *bytes = total * sizeof(float);
    *memory = scarlet__pages_alloc(*bytes);
    if (!*memory)
        return scarlet__fail_memory(err);
    float *p = *memory;
    for (size_t i = 0; i < count; i++) {
        *buffer[i].where = p;
        p += room(&buffer[i]);
    }
    return SCARLET_OK;
}
