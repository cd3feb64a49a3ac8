/*
 * Every variant of every kernel that this CPU can run, against plain references.
 *
 *   checkkernels [--isa NAME] [--seed N] [--rounds N] [--bench]
 *
 * --isa     only this variant (a name of sets.h); by default all
 * --seed    of the random cases (default 1); a failure names its own
 * --rounds  cases of each kind and variant (default 400)
 * --bench   prints speeds instead: all variants in turn, the median of many turns
 *
 * Exit code 0: all agree. 1: some do not. 2: wrong arguments.
 */
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "common/cpu.h"
#include "scarlet/scarlet.h"

enum { FAILURES_SHOWN = 10 };

typedef struct variant {
    const char *name;
    int isa, vector;
    const scarlet__kernels *kernels; /* NULL: not on this CPU, or not asked for */
} variant;

static variant variants[] = {
#define SET(suffix, isa, vector) {#suffix, isa, vector, NULL},
#include "engine/kernels/sets.h"
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* ---- reports ---- */

static char current[400];
static size_t failures;
static bool failed; /* the current case has */

void check_begin(const char *format, ...)
{
    size_t used = strcspn(current, ":");
    va_list arguments;
    va_start(arguments, format);
    current[used] = ':';
    current[used + 1] = ' ';
    vsnprintf(current + used + 2, sizeof current - used - 2, format, arguments);
    va_end(arguments);
}

void check_fail(const char *format, ...)
{
    va_list arguments;
    if (failed)
        return;
    failed = true;
    if (++failures > FAILURES_SHOWN)
        return;
    va_start(arguments, format);
    fprintf(stderr, "%s\n    ", current);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static void on_crash(int number)
{
    static const char text[] =
        "\n    touched memory that is not its own, or an instruction that "
        "this CPU lacks\n";
    ssize_t written = write(STDERR_FILENO, current, strlen(current));
    written += write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

/* ---- checks ---- */

static size_t check(const variant *v, uint64_t seed, size_t rounds)
{
    static const struct {
        const char *name;
        void (*run)(const scarlet__kernels *, values);
    } checks[] = {{"depthwise", check_depthwise},
                  {"elementwise", check_elementwise},
                  {"gemm", check_gemm},
                  {"integer", check_integer},
                  {"bf16", check_bf16}};
    size_t cases = 0;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        for (size_t round = 0; round < rounds; round++, cases++) {
            uint64_t own = seed + round;
            random_seed(own);
            failed = false;
            snprintf(current, sizeof current, "%s --seed %llu --rounds 1: %s", v->name,
                     (unsigned long long)own, checks[i].name);
            checks[i].run(v->kernels, (values)(own % KINDS));
            if (!guard_release())
                check_fail("wrote outside of its buffers");
        }
    }
    return cases;
}

/* ---- speed ---- */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double time_runs(const speed *s, const variant *v, float *pool, size_t runs)
{
    double start = seconds();
    for (size_t i = 0; i < runs; i++)
        s->run(v->kernels, s->shape, pool);
    return (seconds() - start) / (double)runs;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* bf16: of those kernels, which not every set has */
static void bench_one(const speed *s, bool bf16, float *pool)
{
    enum { TURNS = 31 };
    static double samples[VARIANTS][TURNS];
    size_t runs[VARIANTS] = {0};
    for (size_t v = 0; v < VARIANTS; v++) {
        if (!variants[v].kernels || (bf16 && !variants[v].kernels->bf16.expand.group))
            continue;
        time_runs(s, &variants[v], pool, 3);
        runs[v] = (size_t)(1e-3 / time_runs(s, &variants[v], pool, 3)) + 1;
    }
    for (size_t turn = 0; turn < TURNS; turn++)
        for (size_t v = 0; v < VARIANTS; v++)
            if (runs[v])
                samples[v][turn] = time_runs(s, &variants[v], pool, runs[v]);
    printf("%-40s", s->name);
    for (size_t v = 0; v < VARIANTS; v++) {
        if (!variants[v].kernels)
            continue;
        if (!runs[v]) {
            printf(" %10s", "-");
            continue;
        }
        qsort(samples[v], TURNS, sizeof **samples, ascending);
        printf(" %10.1f", s->work / samples[v][TURNS / 2] * 1e-9);
    }
    puts(s->bytes ? " GB/s" : " GMAC/s");
}

static void bench(void)
{
    static const speed *const all[] = {speeds_gemm, speeds_integer, speeds_bf16, speeds_depthwise,
                                       speeds_elementwise};
    float *pool = aligned_alloc(4096, BENCH_FLOATS * sizeof *pool);
    if (!pool)
        exit(3);
    printf("%-40s", "median of interleaved turns");
    for (size_t v = 0; v < VARIANTS; v++)
        if (variants[v].kernels)
            printf(" %10s", variants[v].name);
    puts("");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const speed *s = all[i]; s->name; s++) {
            random_seed(1); /* what the last one left may be denormal, and slow */
            random_fill(pool, BENCH_FLOATS, ORDINARY, 1);
            bench_one(s, all[i] == speeds_bf16, pool);
        }
    free(pool);
}

/* ---- */

/* Kernels of the variants that this CPU can run; `only` may be NULL. */
static size_t choose(const char *only)
{
    size_t chosen = 0;
    for (size_t i = 0; i < VARIANTS; i++) {
        variant *v = &variants[i];
        if (only && strcmp(only, v->name) != 0)
            continue;
        if (scarlet__cpu_isa(v->isa) != v->isa) {
            printf("%s: not on this CPU\n", v->name);
            continue;
        }
        v->kernels = scarlet__kernels_for(v->isa);
        if (v->kernels->isa != v->isa || v->kernels->vector != v->vector) {
            fprintf(stderr, "%s: the dispatcher gives other kernels\n", v->name);
            failures++;
        }
        chosen++;
    }
    return chosen;
}

static uint64_t number(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (*end || end == text || n == 0) {
        fprintf(stderr, "not a number above 0: %s\n", text);
        exit(2);
    }
    return n;
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    uint64_t seed = 1;
    size_t rounds = 400;
    bool timed = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0) {
            timed = true;
        } else if (i + 1 == argc) {
            fprintf(stderr, "%s: unknown, or its value is missing\n", argv[i]);
            return 2;
        } else if (strcmp(argv[i], "--isa") == 0) {
            only = argv[++i];
        } else if (strcmp(argv[i], "--seed") == 0) {
            seed = number(argv[++i]);
        } else if (strcmp(argv[i], "--rounds") == 0) {
            rounds = number(argv[++i]);
        } else {
            fprintf(stderr, "unknown argument: %s\n", argv[i]);
            return 2;
        }
    }
    if (choose(only) == 0) {
        fputs("no variant to run\n", stderr);
        return 2;
    }
    if (timed) {
        bench();
        return EXIT_SUCCESS;
    }
    signal(SIGSEGV, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGILL, on_crash);
    for (size_t i = 0; i < VARIANTS; i++)
        if (variants[i].kernels)
            printf("%s: %zu cases\n", variants[i].name, check(&variants[i], seed, rounds));
    printf("%zu failed\n", failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
