/* Filling in the caller's scarlet_error. */
#ifndef SCARLET_COMMON_ERROR_H
#define SCARLET_COMMON_ERROR_H

#include "scarlet/scarlet.h"

/* Describes a failure in *err (may be NULL) and returns `status`, so that a function can
 * `return scarlet__fail(err, ...)`. The text is cut to fit at a character boundary; control
 * characters and bytes that are not UTF-8, which names from hostile files may hold, are shown as
 * '?'. */
__attribute__((format(printf, 3, 4))) scarlet_status
scarlet__fail(scarlet_error *err, scarlet_status status, const char *format, ...);

/* The same for a failed system call: SCARLET_ERROR_IO, with the text of `code` (an errno) after
 * "format: " and the code as detail. ENOMEM and EMFILE style codes stay IO. */
__attribute__((format(printf, 3, 4))) scarlet_status
scarlet__fail_errno(scarlet_error *err, int code, const char *format, ...);

/* "out of memory", the only text for it. */
scarlet_status scarlet__fail_memory(scarlet_error *err);

/* Puts "prefix: " before a description made deeper down; the status stays. */
void scarlet__error_prefix(scarlet_error *err, const char *prefix);

#endif
