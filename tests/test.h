/*
 * The smallest harness that serves: checks print what failed and where, and count.
 *
 *     int main(void)
 *     {
 *         CHECK(1 + 1 == 2);
 *         CHECK_TEXT(name(), "SCARLET-A");
 *         return test_result();
 *     }
 *
 * The last line printed, "N passed, M failed", is that of the program.
 */
#ifndef SCARLET_TESTS_TEST_H
#define SCARLET_TESTS_TEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int test_passed, test_failed;

/* 32 random bits, the same in each run. */
static inline uint32_t test_draw(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static inline int test_check(int ok, const char *file, int line, const char *what)
{
    if (ok) {
        test_passed++;
    } else {
        test_failed++;
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
    }
    return ok;
}

static inline int test_text(const char *found, const char *expected, const char *file, int line)
{
    int ok = found && expected ? strcmp(found, expected) == 0 : found == expected;
    test_check(ok, file, line, expected ? expected : "(null)");
    if (!ok)
        fprintf(stderr, "    found: %s\n", found ? found : "(null)");
    return ok;
}

/* Both give whether the check held, so that a test can stop where going on makes no sense. */
#define CHECK(condition) test_check((condition) ? 1 : 0, __FILE__, __LINE__, #condition)
#define CHECK_TEXT(found, expected) test_text((found), (expected), __FILE__, __LINE__)

static inline int test_result(void)
{
    printf("%d passed, %d failed\n", test_passed, test_failed);
    return test_failed || !test_passed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
