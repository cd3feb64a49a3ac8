#include "number.h"

#include <stdlib.h>

enum { LEAST = 6, FOR_FLOAT = 9, FOR_DOUBLE = 17, SIZE = 32 };

/* The program never leaves the C locale. */
void put_float(FILE *out, float value)
{
    char text[SIZE];
    int digits = LEAST;
    do
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
    while (digits++ < FOR_FLOAT && strtof(text, NULL) != value);
    fputs(text, out);
}

void put_double(FILE *out, double value)
{
    char text[SIZE];
    int digits = LEAST;
    do
        snprintf(text, sizeof text, "%.*g", digits, value);
    while (digits++ < FOR_DOUBLE && strtod(text, NULL) != value);
    fputs(text, out);
}
