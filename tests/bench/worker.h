/*
 * The protocol between measure.py and a worker, for workers in C. worker.py has the same for
 * Python, worker_web.mjs speaks it itself.
 *
 * A worker loads its model, runs it once and reports
 *     {"load_ms": N, "first_ms": N, "version": "..."}
 * then answers lines of standard input, each with a line:
 *     run N        N inferences          {"ns": [N numbers], "cpu_ns": N}
 *     out FILE     the last scores       {}
 *     rss          peak of its memory    {"peak_kb": N}
 * until its input ends.
 */
#ifndef SCARLET_BENCH_WORKER_H
#define SCARLET_BENCH_WORKER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIDE = 224, PICTURE = 3 * SIDE * SIDE, CLASSES = 1000 };

typedef struct worker {
    const char *version;
    int batch;
    const char *input_path;
    float *input, *scores;
    void (*load)(struct worker *, char **argv); /* file to ready session */
    void (*run)(struct worker *);               /* input to scores */
} worker;

static inline void worker_fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static inline long long worker_now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static inline long worker_peak_kb(void)
{
    char line[256];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

static inline void worker_run(worker *w, long count)
{
    long long cpu = worker_now(CLOCK_PROCESS_CPUTIME_ID);
    printf("{\"ns\": [");
    for (long i = 0; i < count; i++) {
        long long start = worker_now(CLOCK_MONOTONIC);
        w->run(w);
        printf("%s%lld", i ? ", " : "", worker_now(CLOCK_MONOTONIC) - start);
    }
    printf("], \"cpu_ns\": %lld}\n", worker_now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
}

static inline void worker_write(const worker *w, const char *path)
{
    size_t count = (size_t)w->batch * CLASSES;
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(w->scores, sizeof(float), count, f) != count || fclose(f) != 0)
        worker_fail(path, "cannot write");
    puts("{}");
}

/* Last arguments of every worker: INPUT BATCH THREADS. */
static inline int worker_serve(worker *w, int argc, char **argv)
{
    char line[4096], path[4000];
    long count;
    w->input_path = argv[argc - 3];
    w->batch = atoi(argv[argc - 2]);
    size_t floats = (size_t)w->batch * PICTURE;
    w->input = aligned_alloc(64, floats * sizeof(float));
    w->scores = calloc((size_t)w->batch * CLASSES, sizeof(float));
    FILE *f = fopen(w->input_path, "rb");
    if (!f || fread(w->input, sizeof(float), floats, f) != floats)
        worker_fail(w->input_path, "cannot read");
    fclose(f);

    long long start = worker_now(CLOCK_MONOTONIC);
    w->load(w, argv);
    long long loaded = worker_now(CLOCK_MONOTONIC);
    w->run(w);
    printf("{\"load_ms\": %.3f, \"first_ms\": %.3f, \"version\": \"%s\"}\n",
           (double)(loaded - start) * 1e-6, (double)(worker_now(CLOCK_MONOTONIC) - loaded) * 1e-6,
           w->version);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "run %ld", &count) == 1)
            worker_run(w, count);
        else if (sscanf(line, "out %3999s", path) == 1)
            worker_write(w, path);
        else if (strncmp(line, "rss", 3) == 0)
            printf("{\"peak_kb\": %ld}\n", worker_peak_kb());
        else
            break;
        fflush(stdout);
    }
    return EXIT_SUCCESS;
}

#endif
