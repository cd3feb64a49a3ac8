#include "engine/team.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

enum { SPINS = 1000 }; /* some microseconds */

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

void scarlet__team_init(scarlet__team *team, unsigned threads, pthreadpool_t pool)
{
    team->threads = threads;
    team->pool = pool;
    atomic_init(&team->sleepers, 0);
    atomic_init(&team->handover, 0);
}

static void wait_until(scarlet__team *team, _Atomic(uint32_t) *done, uint32_t tasks)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(done, memory_order_acquire) == tasks)
            return;
        pause_briefly();
    }
    atomic_fetch_add(&team->sleepers, 1);
    for (uint32_t seen; (seen = atomic_load(done)) != tasks;)
        sleep_while(done, seen);
    atomic_fetch_sub(&team->sleepers, 1);
}

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
    wait_until(team, done, (uint32_t)tasks);
    m->taken = 0;
    m->phase++;
    return false;
}

static void start(void *data, size_t index)
{
    scarlet__team *team = data;
    atomic_load_explicit(&team->handover, memory_order_acquire);
    scarlet__member member = {.team = team, .index = (unsigned)index};
    team->fn(team->context, &member);
    atomic_fetch_add_explicit(&team->handover, 1, memory_order_release);
}

void scarlet__team_run(scarlet__team *team, scarlet__team_fn fn, void *context)
{
    team->fn = fn;
    team->context = context;
    if (team->threads == 1) {
        start(team, 0);
        return;
    }
    for (int i = 0; i < SCARLET__TEAM_PHASES; i++) {
        atomic_store_explicit(&team->phase[i].next, 0, memory_order_relaxed);
        atomic_store_explicit(&team->phase[i].done, 0, memory_order_relaxed);
    }
    /* As many items as threads: each begins with its own. One that is early done may take that of
     * a thread which is still asleep, and passes through phases that are over. `handover` orders
     * memory between caller and workers; the pool does too, but promises it nowhere. */
    atomic_fetch_add_explicit(&team->handover, 1, memory_order_release);
    pthreadpool_parallelize_1d(team->pool, start, team, team->threads,
                               PTHREADPOOL_FLAG_YIELD_WORKERS);
    atomic_load_explicit(&team->handover, memory_order_acquire);
}
