/* Decimal numbers as text, independent of the locale. */
#ifndef SCARLET_COMMON_DECIMAL_H
#define SCARLET_COMMON_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>

/* Reads exactly text[0 .. length-1], at most 63 characters of the form
 * [-]digits[.digits][e[-]digits]. False if it is anything else or not finite. */
bool scarlet__parse_decimal(const char *text, size_t length, double *value);

/* Reads one to three such numbers with commas, or with colons, between them; blanks around a number
 * are skipped. Returns how many there are, 0 if text is anything else. */
size_t scarlet__parse_decimals(const char *text, size_t length, double values[3]);

enum { SCARLET__DECIMAL_SIZE = 24 };
/* Writes the shortest text, of 6 to 9 digits, that reads as the same float. x is finite. */
void scarlet__print_decimal(float x, char text[SCARLET__DECIMAL_SIZE]);

#endif
