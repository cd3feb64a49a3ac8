/* A fuzzer is one function, called with inputs by libFuzzer or by replay.c. */
#ifndef SCARLET_TESTS_FUZZ_H
#define SCARLET_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

/* ---- file.c ---- */

/* Path of a regular file in memory with this content. There are two, 0 and 1; each call replaces
 * what the file holds. */
const char *fuzz_file(int which, const uint8_t *data, size_t size);

/* ---- starve.c ---- */

/* From now on the n-th allocation of the library fails, and no other; 0: none. */
void fuzz_starve(unsigned n);
/* A number 1 .. limit that depends on the input. */
unsigned fuzz_pick(const uint8_t *data, size_t size, unsigned limit);

/* ---- trap.c: the command's code, which ends the program when it refuses an input ---- */

/* Runs body(user); false if it would have ended the program. What it left behind then, memory and
 * files, is freed. What it says is not printed. */
bool trap_run(void (*body)(void *user), void *user);

#endif
