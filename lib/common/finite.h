/* Looking for NaN and infinity. */
#ifndef SCARLET_COMMON_FINITE_H
#define SCARLET_COMMON_FINITE_H

#include <stddef.h>

/* Index of the first value that is NaN or infinite; n if all are finite. */
size_t scarlet__first_not_finite(const float *x, size_t n);

#endif
