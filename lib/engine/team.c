#include "engine/team.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* Some 5 to 10 microseconds: phases of one inference differ by less when both threads run. */
enum { SPINS = 2000 };

static inline void pause_briefly(void)
{
#if defined(__SSE2__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void sleep_until_not(_Atomic(uint32_t) *word, uint32_t value)
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
    atomic_init(&team->arrived, 0);
    atomic_init(&team->round, 0);
    atomic_init(&team->sleepers, 0);
}

void scarlet__member_meet(scarlet__member *m)
{
    scarlet__team *team = m->team;
    m->phase++;
    if (team->threads == 1)
        return;
    uint32_t round = atomic_load_explicit(&team->round, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == team->threads - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&team->round, round + 1, memory_order_seq_cst);
        if (atomic_load_explicit(&team->sleepers, memory_order_seq_cst))
            wake_all(&team->round);
        return;
    }
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load_explicit(&team->round, memory_order_acquire) != round)
            return;
        pause_briefly();
    }
    atomic_fetch_add_explicit(&team->sleepers, 1, memory_order_seq_cst);
    while (atomic_load_explicit(&team->round, memory_order_seq_cst) == round)
        sleep_until_not(&team->round, round);
    atomic_fetch_sub_explicit(&team->sleepers, 1, memory_order_relaxed);
}

typedef struct {
    scarlet__team *team;
    scarlet__team_fn fn;
    void *context;
} call;

static void start(void *data, size_t index)
{
    const call *c = data;
    scarlet__member member = {.team = c->team, .index = (unsigned)index};
    c->fn(c->context, &member);
}

void scarlet__team_run(scarlet__team *team, scarlet__team_fn fn, void *context)
{
    call c = {team, fn, context};
    for (int i = 0; i < SCARLET__TEAM_PHASES; i++)
        atomic_store_explicit(&team->phase[i].next, 0, memory_order_relaxed);
    if (team->threads == 1) {
        start(&c, 0);
        return;
    }
    /* As many items as threads: each thread takes its own first and cannot finish it before all
     * the others have begun theirs, so none is taken by another. */
    pthreadpool_parallelize_1d(team->pool, start, &c, team->threads,
                               PTHREADPOOL_FLAG_YIELD_WORKERS);
}
