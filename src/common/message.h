/* Messages on standard error; control characters and what is not UTF-8 are shown as '?'. */
#ifndef SCARLET_SRC_COMMON_MESSAGE_H
#define SCARLET_SRC_COMMON_MESSAGE_H

#include <stdarg.h>
#include <stdio.h>

/* "scarlet: text". */
__attribute__((format(printf, 1, 2))) void cli_error(const char *format, ...);
/* "who: text". */
__attribute__((format(printf, 2, 0))) void cli_message(const char *who, const char *format,
                                                       va_list args);
/* "scarlet: path: text", then ends the program: an input file cannot be used. */
__attribute__((noreturn, format(printf, 2, 3))) void cli_refuse(const char *path,
                                                                const char *format, ...);
/* As cli_refuse, with the text of errno. */
__attribute__((noreturn)) void cli_refuse_errno(const char *path);
/* As cli_refuse_errno, for an output file that cannot be finished: it is removed. */
__attribute__((noreturn)) void cli_discard(const char *path);
/* Prints text as messages are: a file's name cannot write to the terminal. */
void cli_put(FILE *out, const char *text);
/* Flushes standard output and returns the exit code: INPUT_FAILED instead of DONE if what was
 * printed got lost. */
int cli_finish(int code);

#endif
