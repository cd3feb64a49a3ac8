/* Checking text from outside. */
#ifndef SCARLET_COMMON_UTF8_H
#define SCARLET_COMMON_UTF8_H

#include <stddef.h>

/* Offset of the first byte that is not well-formed UTF-8 (overlong forms and surrogates are not);
 * `length` if there is none. A NUL byte is well-formed. */
size_t scarlet__utf8_check(const char *text, size_t length);

#endif
