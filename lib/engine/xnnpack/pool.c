#include "engine/xnnpack/pool.h"

#include <pthread.h>
#include <stdbool.h>

#include "common/error.h"

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
} gate;

static void *wait_for(void *arg)
{
    gate *g = arg;
    pthread_mutex_lock(&g->lock);
    while (!g->open)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

/* pthreadpool_create ignores that a thread could not be started and then waits for it for ever
 * (seen). So first start as many on trial, all alive at once, and give up if one fails. Another
 * thread of the process may still take the last free one between the trial and the real start. */
static bool trial(unsigned count)
{
    enum { MOST = 255 };
    pthread_t threads[MOST];
    gate g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    unsigned started = 0;
    while (started < count && started < MOST &&
           pthread_create(&threads[started], NULL, wait_for, &g) == 0)
        started++;
    pthread_mutex_lock(&g.lock);
    g.open = true;
    pthread_cond_broadcast(&g.opened);
    pthread_mutex_unlock(&g.lock);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&g.opened);
    pthread_mutex_destroy(&g.lock);
    return started == count;
}

scarlet_status scarlet__pool_create(unsigned threads, pthreadpool_t *out, scarlet_error *err)
{
    *out = NULL;
    if (trial(threads - 1))
        *out = pthreadpool_create(threads);
    if (!*out)
        return scarlet__fail(err, SCARLET_ERROR_MEMORY, "cannot start %u threads", threads - 1);
    return SCARLET_OK;
}
