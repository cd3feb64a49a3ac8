/* Memory for the command: if there is none, the program ends with a message. */
#ifndef SCARLET_SRC_COMMON_ALLOC_H
#define SCARLET_SRC_COMMON_ALLOC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

__attribute__((noreturn)) void cli_out_of_memory(void);
/* Zeroed. */
__attribute__((returns_nonnull)) void *cli_alloc(size_t count, size_t size);
/* realloc(). */
__attribute__((returns_nonnull)) void *cli_resize(void *block, size_t size);
/* Makes room for one more element in an array of `count`, initially NULL; returns the array. */
__attribute__((returns_nonnull)) void *cli_grow(void *array, size_t count, size_t size);
/* open_memstream(). */
__attribute__((returns_nonnull)) FILE *cli_memory(char **text, size_t *length);
/* asprintf(). */
__attribute__((returns_nonnull, format(printf, 1, 2))) char *cli_format(const char *format, ...);
__attribute__((returns_nonnull, format(printf, 1, 0))) char *cli_vformat(const char *format,
                                                                         va_list args);

#endif
