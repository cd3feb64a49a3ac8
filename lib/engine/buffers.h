/* The working memory of an executor: one block, cut into buffers. */
#ifndef SCARLET_ENGINE_BUFFERS_H
#define SCARLET_ENGINE_BUFFERS_H

#include <stddef.h>

#include "scarlet/scarlet.h"

typedef struct scarlet__buffer {
    float **where; /* receives its address, aligned to 64 bytes */
    size_t floats;
} scarlet__buffer;

/* Takes one zeroed block for all buffers, each readable 16 bytes past its end (XNNPACK reads so
 * far). Free with scarlet__pages_free(*memory, *bytes). */
scarlet_status scarlet__buffers_take(const scarlet__buffer *buffer, size_t count, float **memory,
                                     size_t *bytes, scarlet_error *err);

#endif
