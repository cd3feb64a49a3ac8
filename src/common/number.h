/* Numbers as text for files. */
#ifndef SCARLET_SRC_COMMON_NUMBER_H
#define SCARLET_SRC_COMMON_NUMBER_H

#include <stdio.h>

/* The fewest digits, of six or more, that read back as the same finite value. */
void put_float(FILE *out, float value);
void put_double(FILE *out, double value);

#endif
