/*
 * What this machine can do at most. peak THREADS prints JSON:
 *   fma_portable, fma_avx2, fma_avx512   float32 multiply-adds, 10^9 a second
 *   vnni                                 int8 multiply-adds, 10^9 a second
 *   read_cache, read_memory              10^9 bytes a second: 256 KB and 256 MB a thread
 *   handover_ns                          from one CPU to another and on, with 2 threads or more:
 *                                        a cache line changes hands; a virtual machine whose CPUs
 *                                        lie far apart shows it here
 * Instruction sets that the CPU lacks are left out. The median of several turns.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { THREADS_MAX = 256, TURNS = 15, CACHE = 256 << 10, MEMORY = 256 << 20 };

typedef double (*task)(float *buffer); /* does something, returns how much */

typedef float v4 __attribute__((vector_size(16)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v16 __attribute__((vector_size(64)));

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* 12 chains of multiply-adds hide their latency and fit into 16 registers; compiled with
 * -ffp-contract=fast. */
#define FMA(name, vector, target)                                                                  \
    target static double name(float *buffer)                                                       \
    {                                                                                              \
        enum { CHAINS = 12, STEPS = 200000 };                                                      \
        vector acc[CHAINS], a = {0}, b = {0};                                                      \
        a += buffer[0] * 0 + 0.999f;                                                               \
        b += buffer[1] * 0 + 0.001f;                                                               \
        UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = a * (float)i;                             \
        for (int s = 0; s < STEPS; s++) {                                                          \
            UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = acc[i] * a + b;                       \
        }                                                                                          \
        UNROLL for (int i = 1; i < CHAINS; i++) acc[0] += acc[i];                                  \
        memcpy(buffer, &acc[0], sizeof(float));                                                    \
        return (double)CHAINS * STEPS * (sizeof(vector) / sizeof(float));                          \
    }
FMA(fma_portable, v4, )

#if defined(__x86_64__)
FMA(fma_avx2, v8, __attribute__((target("avx2,fma"))))
FMA(fma_avx512, v16, __attribute__((target("avx512f"))))

__attribute__((target("avx512f"))) static double vnni(float *buffer)
{
    enum { STEPS = 200000 };
    (void)buffer;
    for (int s = 0; s < STEPS; s++)
        __asm__ volatile(
            "vpdpbusd %%zmm30, %%zmm31, %%zmm0\n\tvpdpbusd %%zmm30, %%zmm31, %%zmm1\n\t"
            "vpdpbusd %%zmm30, %%zmm31, %%zmm2\n\tvpdpbusd %%zmm30, %%zmm31, %%zmm3\n\t"
            "vpdpbusd %%zmm30, %%zmm31, %%zmm4\n\tvpdpbusd %%zmm30, %%zmm31, %%zmm5\n\t"
            "vpdpbusd %%zmm30, %%zmm31, %%zmm6\n\tvpdpbusd %%zmm30, %%zmm31, %%zmm7\n\t"
            "vpdpbusd %%zmm30, %%zmm31, %%zmm8\n\tvpdpbusd %%zmm30, %%zmm31, %%zmm9\n\t"
            "vpdpbusd %%zmm30, %%zmm31, %%zmm10\n\tvpdpbusd %%zmm30, %%zmm31, %%zmm11"
            :
            :
            : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
              "xmm10", "xmm11");
    return 12.0 * STEPS * 64;
}
#endif

/* 8 chains of additions, so that loads are what takes the time. */
#define READ(name, bytes, times, target)                                                           \
    target static double name(float *buffer)                                                       \
    {                                                                                              \
        v8 sum[8] = {{0}};                                                                         \
        for (int t = 0; t < (times); t++) {                                                        \
            const v8 *p = (const v8 *)(const void *)buffer;                                        \
            for (size_t i = 0; i < (bytes) / sizeof *p; i += 8) {                                  \
                UNROLL for (size_t j = 0; j < 8; j++) sum[j] += p[i + j];                          \
            }                                                                                      \
            __asm__ volatile("" ::: "memory");                                                     \
        }                                                                                          \
        UNROLL for (size_t j = 1; j < 8; j++) sum[0] += sum[j];                                    \
        buffer[0] = sum[0][0] * 0;                                                                 \
        return (double)(bytes) * (times);                                                          \
    }
#if defined(__x86_64__)
READ(read_cache, CACHE, 200, __attribute__((target("avx2"))))
READ(read_memory, MEMORY, 1, __attribute__((target("avx2"))))
#else
READ(read_cache, CACHE, 200, )
READ(read_memory, MEMORY, 1, )
#endif

/* ---- all threads at once ---- */

static int threads;
static task current;
static pthread_barrier_t barrier;
static double done[THREADS_MAX], took[THREADS_MAX];

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *work(void *argument)
{
    const size_t index = (size_t)(uintptr_t)argument;
    float *buffer = aligned_alloc(64, MEMORY);
    if (!buffer)
        exit(EXIT_FAILURE);
    memset(buffer, 0, MEMORY);
    for (;;) {
        pthread_barrier_wait(&barrier);
        if (!current)
            break;
        double start = seconds();
        done[index] = current(buffer);
        took[index] = seconds() - start;
        pthread_barrier_wait(&barrier);
    }
    free(buffer);
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure(task t)
{
    double rate[TURNS];
    current = t;
    for (int turn = -2; turn < TURNS; turn++) {
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        double sum = 0;
        for (int i = 0; i < threads; i++)
            sum += done[i] / took[i];
        if (turn >= 0)
            rate[turn] = sum * 1e-9;
    }
    qsort(rate, TURNS, sizeof *rate, ascending);
    return rate[TURNS / 2];
}

/* ---- two threads in turns ---- */

enum { HANDOVERS = 20000 };
static _Alignas(64) atomic_int hand; /* even: main's turn */

static void *answer(void *argument)
{
    for (int i = 1; i < 2 * HANDOVERS; i += 2) {
        while (atomic_load_explicit(&hand, memory_order_acquire) != i)
            continue;
        atomic_store_explicit(&hand, i + 1, memory_order_release);
    }
    return argument;
}

static double handover(void)
{
    double took_ns[TURNS];
    for (int turn = 0; turn < TURNS; turn++) {
        pthread_t other;
        atomic_store(&hand, 0);
        pthread_create(&other, NULL, answer, NULL);
        double start = seconds();
        for (int i = 0; i < 2 * HANDOVERS; i += 2) {
            atomic_store_explicit(&hand, i + 1, memory_order_release);
            while (atomic_load_explicit(&hand, memory_order_acquire) != i + 2)
                continue;
        }
        took_ns[turn] = (seconds() - start) / (2 * HANDOVERS) * 1e9;
        pthread_join(other, NULL);
    }
    qsort(took_ns, TURNS, sizeof *took_ns, ascending);
    return took_ns[TURNS / 2];
}

int main(int argc, char **argv)
{
    threads = argc > 1 ? atoi(argv[1]) : 1;
    if (threads < 1 || threads > THREADS_MAX)
        return 2;
    const struct {
        const char *name;
        task run;
        bool here;
    } tasks[] = {
        {"fma_portable", fma_portable, true},
#if defined(__x86_64__)
        {"fma_avx2", fma_avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
        {"fma_avx512", fma_avx512, __builtin_cpu_supports("avx512f")},
        {"vnni", vnni, __builtin_cpu_supports("avx512vnni")},
        {"read_cache", read_cache, __builtin_cpu_supports("avx2")},
        {"read_memory", read_memory, __builtin_cpu_supports("avx2")},
#else
        {"read_cache", read_cache, true},
        {"read_memory", read_memory, true},
#endif
    };
    pthread_t thread[THREADS_MAX];
    pthread_barrier_init(&barrier, NULL, (unsigned)threads + 1);
    for (int i = 0; i < threads; i++)
        pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)i);
    printf("{\"threads\": %d", threads);
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (tasks[i].here)
            printf(", \"%s\": %.2f", tasks[i].name, measure(tasks[i].run));
    current = NULL;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    if (threads > 1)
        printf(", \"handover_ns\": %.0f", handover());
    puts("}");
    return EXIT_SUCCESS;
}
