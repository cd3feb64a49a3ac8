/* Names of files: UTF-8 that may contain bytes that are not. */
#ifndef SCARLET_SRC_COMMON_TEXT_H
#define SCARLET_SRC_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the well-formed UTF-8 sequence at s, 1 for ASCII; 0 if there is none. */
size_t utf8_length(const unsigned char *s);
/* A copy of at most `most` bytes, at least 16, with "..." for its middle if it is longer; free it.
 */
char *shorten(const char *text, size_t most);
/* Order of Python's strings: by code points, bytes that are not UTF-8 as surrogates. */
int by_code_points(const char *a, const char *b);
bool ends_with(const char *text, const char *end);
/* As ends_with, in any case. */
bool ends_with_any_case(const char *text, const char *end);

#endif
