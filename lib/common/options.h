/* The options object as other files of the library see it. */
#ifndef SCARLET_COMMON_OPTIONS_H
#define SCARLET_COMMON_OPTIONS_H

#include <stdbool.h>

#include "scarlet/scarlet.h"

/* Value in force: set, else the table's default. opts may be NULL. */
int64_t scarlet__option(const scarlet_options *opts, scarlet_option key);
/* Whether the caller set it; *value receives it then. opts and value may be NULL. */
bool scarlet__option_set(const scarlet_options *opts, scarlet_option key, int64_t *value);
/* Normalization the caller set; false if none: mean and std stay. */
bool scarlet__option_normalization(const scarlet_options *opts, float mean[3], float std[3]);

/* Sends a finished line to the caller's log function, if it wants this level. */
__attribute__((format(printf, 3, 4))) void scarlet__log(const scarlet_options *opts, int level,
                                                        const char *format, ...);
enum { SCARLET__LOG_ERROR = 1, SCARLET__LOG_WARNING, SCARLET__LOG_INFO, SCARLET__LOG_DEBUG };

/* A decimal number written as [-]digits[.digits][e[-]digits], independent of the locale. Reads
 * exactly text[0 .. length-1]; false if it is anything else or not finite. */
bool scarlet__parse_decimal(const char *text, size_t length, double *value);

#endif
