/* Creating a pool of threads without the risk that it hangs. */
#ifndef SCARLET_ENGINE_XNNPACK_POOL_H
#define SCARLET_ENGINE_XNNPACK_POOL_H

#include <pthreadpool.h>

#include "scarlet/scarlet.h"

/* Creates a pool of `threads` (at least 2), including the calling one; free it with
 * pthreadpool_destroy. MEMORY if so many threads cannot be started. */
scarlet_status scarlet__pool_create(unsigned threads, pthreadpool_t *out, scarlet_error *err);

#endif
