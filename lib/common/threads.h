/* A pool of threads that cannot hang in its making. */
#ifndef SCARLET_COMMON_THREADS_H
#define SCARLET_COMMON_THREADS_H

#include <pthreadpool.h>

#include "scarlet/scarlet.h"

/* Makes a pool of `threads` (>= 2), the calling thread counted; free with pthreadpool_destroy.
 * MEMORY if so many threads cannot be started. */
scarlet_status scarlet__pool_create(unsigned threads, pthreadpool_t *out, scarlet_error *err);

#endif
