/* The options of a training as other files of the library see them. */
#ifndef SCARLET_NAS_OPTIONS_H
#define SCARLET_NAS_OPTIONS_H

#include <stdbool.h>

#include "scarlet/nas.h"

/* The number of an option in force; NaN for auto. */
double scarlet__train_number(const scarlet_train_options *opts, scarlet_train_option key);
/* Up to three of them. */
void scarlet__train_numbers(const scarlet_train_options *opts, scarlet_train_option key,
                            double values[3]);
bool scarlet__train_is_auto(const scarlet_train_options *opts, scarlet_train_option key);
/* Sets an option to one number, or to two or three, rounded to 9 digits. */
scarlet_status scarlet__train_resolve(scarlet_train_options *opts, scarlet_train_option key,
                                      const double *values, size_t count, scarlet_error *err);
/* "name = value" lines of all options. NULL if out of memory; free with scarlet__free. */
char *scarlet__train_lines(const scarlet_train_options *opts);
/* The reverse. CORRUPT if the text is none of those. */
scarlet_status scarlet__train_read_lines(const char *text, scarlet_train_options *opts,
                                         scarlet_error *err);
/* Name of the first option that differs and matters to the result, or NULL. */
const char *scarlet__train_differs(const scarlet_train_options *a, const scarlet_train_options *b);

#endif
