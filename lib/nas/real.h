/* exp, log and cos of our own: those of the C library differ between its versions and machines, and
 * with them a run that is resumed elsewhere. Errors are below 4e-16 relative (cos: absolute). */
#ifndef SCARLET_NAS_REAL_H
#define SCARLET_NAS_REAL_H

#include <stdint.h>
#include <string.h>

/* 0 below -745, infinite above 709.78. */
double scarlet__real_exp(double x);
/* x above 0 and finite. */
double scarlet__real_log(double x);
/* cos(pi * x), x in [0, 1]. */
double scarlet__real_cos_pi(double x);

/* The bits of a double, for text that must not round it, and back. */
static inline uint64_t scarlet__real_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double scarlet__real_of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
