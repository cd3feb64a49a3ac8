#include "pipeline.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/status.h"

/* A ring of items. Each is free, filled, taken by a worker, or done; `head` is the oldest that is
 * not free, `take` the oldest that no worker has taken, `fill` the next to fill. They only grow. */
typedef struct ring {
    pipeline plan; /* a copy: workers of an interrupted run may outlive the caller */
    pthread_mutex_t lock;
    pthread_cond_t filled, finished;
    size_t head, take, fill;
    bool *done, closed;
} ring;

typedef struct worker {
    ring *ring;
    size_t number;
    pthread_t thread;
} worker;

static void *item_at(const ring *r, size_t place)
{
    return (char *)r->plan.items + place % r->plan.room * r->plan.size;
}

static void *run_worker(void *user)
{
    worker *w = user;
    ring *r = w->ring;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (r->take == r->fill && !r->closed)
            pthread_cond_wait(&r->filled, &r->lock);
        if (r->take == r->fill)
            break;
        size_t place = r->take++;
        pthread_mutex_unlock(&r->lock);
        r->plan.work(r->plan.user, w->number, item_at(r, place));
        pthread_mutex_lock(&r->lock);
        r->done[place % r->plan.room] = true;
        pthread_cond_signal(&r->finished);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* Workers do not see signals: Ctrl-C is for the main thread. */
static void start(worker *w)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&w->thread, NULL, run_worker, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        cli_error("cannot start a thread: %s", strerror(error));
        exit(INPUT_FAILED);
    }
}

/* Waits for the oldest item, but briefly enough to notice Ctrl-C. */
static void wait_a_little(ring *r)
{
    enum { PAUSE = 50000000 };
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PAUSE;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&r->finished, &r->lock, &until);
}

/* The calling thread's part: keeps the ring full and passes results on in order. */
static void feed_and_collect(ring *r)
{
    const pipeline *p = &r->plan;
    bool more = true;
    while (!interrupted()) {
        bool ready = r->head < r->fill && r->done[r->head % p->room];
        if (ready) {
            pthread_mutex_unlock(&r->lock);
            bool go_on = p->done(p->user, item_at(r, r->head));
            pthread_mutex_lock(&r->lock);
            r->done[r->head++ % p->room] = false;
            if (!go_on) {
                r->take = r->fill; /* the rest is not taken */
                return;
            }
        } else if (more && r->fill - r->head < p->room) {
            pthread_mutex_unlock(&r->lock);
            more = p->next(p->user, item_at(r, r->fill));
            pthread_mutex_lock(&r->lock);
            r->fill += more;
            pthread_cond_signal(&r->filled);
        } else if (r->head < r->fill) {
            wait_a_little(r);
        } else {
            return;
        }
    }
}

void pipeline_run(const pipeline *p)
{
    ring *r = cli_alloc(1, sizeof *r);
    worker *workers = cli_alloc(p->workers, sizeof *workers);
    *r = (ring){.plan = *p, .done = cli_alloc(p->room, sizeof *r->done)};
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->filled, NULL);
    pthread_cond_init(&r->finished, NULL);
    interrupt_catch();
    for (size_t i = 0; i < p->workers; i++) {
        workers[i] = (worker){.ring = r, .number = i};
        start(&workers[i]);
    }
    pthread_mutex_lock(&r->lock);
    feed_and_collect(r);
    r->closed = true;
    pthread_cond_broadcast(&r->filled);
    pthread_mutex_unlock(&r->lock);
    if (interrupted())
        return; /* a worker may wait for standard input forever */
    for (size_t i = 0; i < p->workers; i++)
        pthread_join(workers[i].thread, NULL);
    free(r->done);
    free(r);
    free(workers);
}
