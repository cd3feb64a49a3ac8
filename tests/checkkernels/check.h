/*
 * What the checks of checkkernels share: random data, guarded memory, comparison.
 *
 * A reference is computed in double precision together with a bound of the float32 error, derived
 * from the sum of the absolute values that are added; NaN and infinities must agree exactly.
 */
#ifndef SCARLET_TESTS_CHECK_H
#define SCARLET_TESTS_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "engine/kernels/kernels.h"

/* ---- random.c ---- */

typedef enum {
    ORDINARY,
    DENORMAL, /* among ordinary numbers, so that products and sums are denormal too */
    SPECIAL,  /* NaN and infinities among ordinary numbers */
    KINDS
} values;

void random_seed(uint64_t seed);
/* 0 .. limit - 1 */
size_t random_below(size_t limit);
/* low .. high */
size_t random_between(size_t low, size_t high);
void random_fill(float *at, size_t count, values kind, float scale);

/* ---- guard.c ---- */

/* `count` floats that end where an inaccessible page begins, or begin where one ends, at random.
 * The bytes between them and the other page are watched. Lives until guard_release. */
float *guard_floats(size_t count);
/* Fills with a NaN of its own bits, which is how guard_untouched knows it. */
void guard_mark(float *at, size_t count);
bool guard_untouched(const float *at, size_t count);
/* Frees all; false if a watched byte has changed. */
bool guard_release(void);
/* Not readable: for addresses that may only be prefetched. */
const char *guard_forbidden(void);

/* ---- compare.c ---- */

typedef struct approximate {
    double value, error; /* |float32 result - value| <= error */
} approximate;

/* A sum under way. */
typedef struct sum {
    double value, magnitude;
    size_t terms;
} sum;

void sum_add(sum *s, double a, double b);
approximate sum_result(const sum *s);
approximate activated(approximate x, scarlet__activation a);
bool agrees(float found, approximate expected);
/* Fails unless `found` is the sum of a channel's outputs, whose own errors add up to `error`. */
void check_total(size_t channel, float found, const sum *outputs, double error);

/* Reports a failed check once: what is printf text about the current case. */
void check_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What is being checked, for reports and for a crash. */
void check_begin(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- the kernels, a file a kind ---- */

/* One random case of each function; `kind` of values. */
void check_depthwise(const scarlet__kernels *k, values kind);
void check_elementwise(const scarlet__kernels *k, values kind);
void check_gemm(const scarlet__kernels *k, values kind);
void check_integer(const scarlet__kernels *k, values kind);
void check_bf16(const scarlet__kernels *k, values kind);

/* ---- speed ---- */

/* A benchmark of one function at one size. `pool` holds BENCH_FLOATS ordinary numbers. */
typedef struct speed {
    const char *name;
    void (*run)(const scarlet__kernels *k, const size_t *shape, float *pool);
    size_t shape[5];
    double work; /* multiply-adds, or bytes read and written */
    bool bytes;
} speed;

enum { BENCH_FLOATS = 1 << 22 };

/* To name NULL. */
extern const speed speeds_depthwise[], speeds_elementwise[], speeds_gemm[], speeds_integer[],
    speeds_bf16[];

#endif
