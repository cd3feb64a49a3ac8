#include "engine/fused/team.h"

#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include "common/error.h"
#include "common/memory.h"

enum { SPINS = 1000 }; /* some microseconds */
#define OPEN 0x80000000u

static inline void pause_briefly(void)
{
#if defined(__SSE2__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void sleep_while(_Atomic(uint32_t) *word, uint32_t value)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_all(_Atomic(uint32_t) *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Waits until *word is `value` (or, with `differs`, is not); `sleepers` counts the threads that
 * sleep on it. */
static uint32_t await(_Atomic(uint32_t) *word, uint32_t value, bool differs, atomic_uint *sleepers)
{
    uint32_t seen;
    for (int i = 0; i < SPINS; i++) {
        seen = atomic_load_explicit(word, memory_order_acquire);
        if ((seen == value) != differs)
            return seen;
        pause_briefly();
    }
    atomic_fetch_add(sleepers, 1);
    while (((seen = atomic_load(word)) == value) == differs)
        sleep_while(word, seen);
    atomic_fetch_sub(sleepers, 1);
    return seen;
}

/* ---- phases ---- */

bool scarlet__team_task(scarlet__member *m, size_t tasks, size_t *i)
{
    scarlet__team *team = m->team;
    if (team->threads == 1) {
        *i = m->taken++;
        if (*i < tasks)
            return true;
        m->taken = 0;
        return false;
    }
    _Atomic(uint32_t) *done = &team->phase[m->phase].done;
    *i = atomic_fetch_add_explicit(&team->phase[m->phase].next, 1, memory_order_relaxed);
    if (*i < tasks) {
        m->taken++;
        return true;
    }
    if (m->taken) {
        uint32_t before = atomic_fetch_add(done, m->taken);
        if (before + m->taken == tasks && atomic_load(&team->sleepers))
            wake_all(done);
    }
    await(done, (uint32_t)tasks, false, &team->sleepers);
    m->taken = 0;
    m->phase++;
    return false;
}

/* ---- threads ---- */

/* Joins the present run, unless it is over. */
static bool join(scarlet__team *team)
{
    uint32_t gate = atomic_load(&team->gate);
    while (gate & OPEN)
        if (atomic_compare_exchange_weak(&team->gate, &gate, gate + 1))
            return true;
    return false;
}

static void leave(scarlet__team *team)
{
    if (atomic_fetch_sub(&team->gate, 1) == 1) /* closed, and the last: the caller may wait */
        wake_all(&team->gate);
}

static void *work(void *data)
{
    scarlet__team *team = data;
    unsigned index = 1 + atomic_fetch_add(&team->numbered, 1);
    for (uint32_t call = 0; !atomic_load(&team->stop);) {
        call = await(&team->call, call, true, &team->idle);
        /* It may be a later run by now, or this one a second time: neither does harm. */
        if (join(team)) {
            scarlet__member member = {.team = team, .index = index};
            team->fn(team->context, &member);
            leave(team);
        }
    }
    return NULL;
}

scarlet_status scarlet__team_begin(scarlet__team *team, unsigned threads, scarlet_error *err)
{
    team->threads = threads;
    if (threads == 1)
        return SCARLET_OK;
    team->worker = scarlet__calloc(threads - 1, sizeof *team->worker);
    if (!team->worker)
        return scarlet__fail_memory(err);
    sigset_t all, old; /* the host's signals are for the host's threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    while (team->started < threads - 1 &&
           pthread_create(&team->worker[team->started], NULL, work, team) == 0)
        team->started++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (team->started < threads - 1)
        return scarlet__fail(err, SCARLET_ERROR_MEMORY, "cannot start %u threads", threads - 1);
    return SCARLET_OK;
}

void scarlet__team_end(scarlet__team *team)
{
    atomic_store(&team->stop, true);
    atomic_fetch_add(&team->call, 1);
    wake_all(&team->call);
    for (unsigned i = 0; i < team->started; i++)
        pthread_join(team->worker[i], NULL);
    scarlet__free(team->worker);
    team->worker = NULL;
    team->started = 0;
}

void scarlet__team_run(scarlet__team *team, scarlet__team_fn fn, void *context)
{
    scarlet__member member = {.team = team};
    if (team->threads == 1) {
        fn(context, &member);
        return;
    }
    for (int i = 0; i < SCARLET__TEAM_PHASES; i++) {
        atomic_store_explicit(&team->phase[i].next, 0, memory_order_relaxed);
        atomic_store_explicit(&team->phase[i].done, 0, memory_order_relaxed);
    }
    team->fn = fn;
    team->context = context;
    atomic_store(&team->gate, OPEN);
    atomic_fetch_add(&team->call, 1);
    if (atomic_load(&team->idle))
        wake_all(&team->call);
    fn(context, &member);
    /* No thread joins any more; those that have are about to find that nothing is left. */
    atomic_fetch_and(&team->gate, ~OPEN);
    atomic_uint nobody = 0;
    await(&team->gate, 0, false, &nobody);
}
