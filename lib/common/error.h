/* Filling in the caller's scarlet_error. */
#ifndef SCARLET_COMMON_ERROR_H
#define SCARLET_COMMON_ERROR_H

#include "scarlet/scarlet.h"

/* Describes a failure in *err, which may be NULL. The text is cut to fit at a character boundary;
 * control characters and bytes that are not UTF-8, as names from hostile files may hold, become
 * '?'. */
__attribute__((format(printf, 3, 4))) void
scarlet__describe(scarlet_error *err, scarlet_status status, const char *format, ...);

/* For a failed system call: SCARLET_ERROR_IO, with the text of `code` (an errno) after "format: "
 * and the code as detail, also for codes such as ENOMEM and EMFILE. */
__attribute__((format(printf, 3, 4))) void scarlet__describe_errno(scarlet_error *err, int code,
                                                                   const char *format, ...);

/* For `return scarlet__fail(err, status, format, ...)`: macros, so that compilers and analysers see
 * the status that is returned. */
#define scarlet__fail(err, status, ...) (scarlet__describe(err, status, __VA_ARGS__), (status))
#define scarlet__fail_errno(err, code, ...)                                                        \
    (scarlet__describe_errno(err, code, __VA_ARGS__), SCARLET_ERROR_IO)
/* The one text for it. */
#define scarlet__fail_memory(err) scarlet__fail(err, SCARLET_ERROR_MEMORY, "out of memory")

/* Puts "prefix: " before a description that a callee made; the status stays. */
void scarlet__error_prefix(scarlet_error *err, const char *prefix);

#endif
