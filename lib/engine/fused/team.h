/*
 * A team: the threads of one inference, which go through its phases side by side.
 *
 * A phase is a loop over tasks that the threads take from a counter, and it ends when its tasks are
 * done, not when all threads have come. An inference ends when its last phase has, and waits only
 * for threads that have joined it: one that the system does not let run delays nobody, unless it
 * was stopped within a task. (pthreadpool waits for each of its threads to wake up once a call:
 * next to four busy processes on two CPUs, that made an inference with two threads many times
 * slower than with one.) A waiting thread spins for some microseconds and then sleeps.
 */
#ifndef SCARLET_ENGINE_FUSED_TEAM_H
#define SCARLET_ENGINE_FUSED_TEAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scarlet/scarlet.h"

enum { SCARLET__TEAM_PHASES = 512 };

struct scarlet__member;
typedef void (*scarlet__team_fn)(void *context, struct scarlet__member *member);

typedef struct scarlet__team {
    unsigned threads;    /* the calling one included */
    scarlet__team_fn fn; /* of the present run */
    void *context;
    pthread_t *worker; /* threads - 1 of them */
    unsigned started;
    atomic_uint numbered; /* workers that know their number */
    atomic_bool stop;
    _Alignas(64) _Atomic(uint32_t) call; /* number of runs begun; what idle workers sleep on */
    atomic_uint idle;                    /* workers asleep */
    _Alignas(
        64) _Atomic(uint32_t) gate;    /* workers in the run; the top bit while it may be joined */
    _Alignas(64) atomic_uint sleepers; /* threads that sleep at a phase's end */
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

/* `team` is zeroed memory. Errors: MEMORY if threads cannot be started; call scarlet__team_end then
 * too.
 */
scarlet_status scarlet__team_begin(scarlet__team *team, unsigned threads, scarlet_error *err);
void scarlet__team_end(scarlet__team *team);
/* Runs fn on the calling thread and on every worker that comes in time. */
void scarlet__team_run(scarlet__team *team, scarlet__team_fn fn, void *context);

/*
 * A phase of `tasks` tasks is the loop
 *
 *     for (size_t i; scarlet__team_task(member, tasks, &i);)
 *         ... task i ...
 *
 * It gives each task to one thread; when none is left it waits until all are done, and returns
 * false. All threads go through the same phases with the same numbers of tasks, and touch shared
 * memory in tasks only: one that comes late passes through phases that ended long ago.
 */
bool scarlet__team_task(scarlet__member *member, size_t tasks, size_t *i);

#endif
