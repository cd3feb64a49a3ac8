/*
 * A layer over the C library whose n-th call of one kind fails. Linked into a program it can be
 * armed by failing_arm; preloaded (LD_PRELOAD) it is armed by the environment:
 *
 *   SCARLET_FAILING="write 3 28"     the third write fails with ENOSPC (28)
 *   SCARLET_FAILING_HIT=FILE         FILE is made when that happened
 *
 * Files below /proc and /sys are not part of it; they are what the CPU is asked by.
 */
#ifndef SCARLET_TESTS_FAILING_H
#define SCARLET_TESTS_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* What is done in the place of the n-th call: fail with this errno, or one of these. */
enum {
    FAILING_SHORT = -1,  /* from the n-th on: one byte is read or written */
    FAILING_AGAIN = -2,  /* from the n-th on every second call is interrupted */
    FAILING_SHRINK = -3, /* the file is cut to half before the call */
};

/* Whether "malloc" is a kind: a sanitizer's malloc is its own affair. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { FAILING_MALLOC = 0 };
#else
enum { FAILING_MALLOC = 1 };
#endif

/* kind: "open", "pread", "malloc", ...; NULL disarms. */
void failing_arm(const char *kind, size_t n, int code);
/* Whether the call that was to fail has been met. */
bool failing_hit(void);

#endif
