/*
 * A team: the threads of one inference, which go through its phases side by side.
 *
 * One call of the pool starts them; between phases they meet at a barrier that spins for a few
 * microseconds and then sleeps (pure spinning costs hundreds of milliseconds on a busy machine, a
 * pool call a phase costs more than most phases). Within a phase, tasks are taken from a counter.
 */
#ifndef SCARLET_ENGINE_TEAM_H
#define SCARLET_ENGINE_TEAM_H

#include <pthreadpool.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { SCARLET__TEAM_PHASES = 512 };

typedef struct scarlet__team {
    unsigned threads;
    pthreadpool_t pool;
    _Alignas(64) atomic_uint arrived;
    _Alignas(64) _Atomic(uint32_t) round; /* of the barrier; what sleepers wait on */
    _Alignas(64) atomic_uint sleepers;
    struct {
        _Alignas(64) atomic_size_t next;
    } phase[SCARLET__TEAM_PHASES]; /* each on a cache line of its own */
} scarlet__team;

/* A member's view: which thread it is and how many phases it has begun. */
typedef struct scarlet__member {
    scarlet__team *team;
    unsigned index;
    unsigned phase;
} scarlet__member;

typedef void (*scarlet__team_fn)(void *context, scarlet__member *member);

void scarlet__team_init(scarlet__team *team, unsigned threads, pthreadpool_t pool);
/* Runs fn once on each thread, all at the same time. */
void scarlet__team_run(scarlet__team *team, scarlet__team_fn fn, void *context);

/* Next task of the current phase; the caller stops at the phase's number of tasks. */
static inline size_t scarlet__member_next(scarlet__member *m)
{
    return atomic_fetch_add_explicit(&m->team->phase[m->phase].next, 1, memory_order_relaxed);
}

/* Ends the phase: waits until all threads have. */
void scarlet__member_meet(scarlet__member *m);

#endif
