/* exp, log and cos of our own: those of the C library differ between its versions and machines, and
 * with them a run that is resumed elsewhere. Errors are below 4e-16 relative (cos: absolute). */
#ifndef SCARLET_NAS_REAL_H
#define SCARLET_NAS_REAL_H

/* 0 below -745, infinite above 709.78. */
double scarlet__real_exp(double x);
/* x above 0 and finite. */
double scarlet__real_log(double x);
/* cos(pi * x), x in [0, 1]. */
double scarlet__real_cos_pi(double x);

#endif
