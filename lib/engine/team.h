/*
 * A team: the threads of one inference, which go through its phases side by side.
 *
 * One call of the pool starts them. A phase is a loop over tasks that the threads take from a
 * counter, and it ends when its tasks are done, not when all threads have come: a thread that the
 * system does not let run delays nobody, unless it was stopped within a task, and finds nothing
 * left to do when it comes back. A thread that waits for others' tasks spins for a few microseconds
 * and then sleeps (spinning alone costs hundreds of milliseconds on a busy machine; a pool call a
 * phase costs more than most phases).
 */
#ifndef SCARLET_ENGINE_TEAM_H
#define SCARLET_ENGINE_TEAM_H

#include <pthreadpool.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCARLET__TEAM_PHASES = 512 };

struct scarlet__member;
typedef void (*scarlet__team_fn)(void *context, struct scarlet__member *member);

typedef struct scarlet__team {
    unsigned threads;
    pthreadpool_t pool;
    scarlet__team_fn fn; /* of the present run */
    void *context;
    _Alignas(64) atomic_uint sleepers;
    atomic_uint handover; /* orders memory at the beginning and the end of a run */
    struct {
        _Alignas(64) _Atomic(uint32_t) next; /* task to take */
        _Alignas(64) _Atomic(uint32_t) done; /* tasks finished; what sleepers wait on */
    } phase[SCARLET__TEAM_PHASES];
} scarlet__team;

/* A thread's own view of where it is. */
typedef struct scarlet__member {
    scarlet__team *team;
    unsigned index; /* 0 is the thread that called scarlet__team_run */
    unsigned phase; /* number of the phase it is in */
    uint32_t taken; /* its tasks of this phase */
} scarlet__member;

void scarlet__team_init(scarlet__team *team, unsigned threads, pthreadpool_t pool);
/* Runs fn once on each thread. */
void scarlet__team_run(scarlet__team *team, scarlet__team_fn fn, void *context);

/*
 * A phase of `tasks` tasks is the loop
 *
 *     for (size_t i; scarlet__team_task(member, tasks, &i);)
 *         ... task i ...
 *
 * It gives each task to one thread; when none is left it waits until all are done, and returns
 * false. All threads go through the same phases with the same numbers of tasks, and touch shared
 * memory in tasks only: one that comes late passes through phases that are long over.
 */
bool scarlet__team_task(scarlet__member *member, size_t tasks, size_t *i);

#endif
