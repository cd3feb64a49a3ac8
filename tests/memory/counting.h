/* Counts what a program has from malloc and mmap: replaces them, for the program and all its
 * libraries. What the C library maps for itself (stacks of threads) is not seen. */
#ifndef SCARLET_TESTS_COUNTING_H
#define SCARLET_TESTS_COUNTING_H

#include <stddef.h>

typedef struct {
    size_t calls; /* that gave memory, since the program began */
    size_t live;  /* bytes in use */
    size_t peak;  /* most bytes in use since counting_reset */
} counted;

counted counting(void);
/* The peak starts again at what is live. */
void counting_reset(void);

#endif
