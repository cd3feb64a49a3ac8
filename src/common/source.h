/* What can be read only once: standard input and pipes. Its first bytes can be looked at before it
 * is read. Any thread. */
#ifndef SCARLET_SRC_COMMON_SOURCE_H
#define SCARLET_SRC_COMMON_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

enum { SOURCE_HEAD = 512 };

typedef struct source source;

/* "-" and other names of standard input, such as /dev/stdin where it is a pipe, and named pipes,
 * which are opened once, here. NULL: anything else, which can be opened as often as one likes. A
 * source stays open until the program ends. */
source *source_open(const char *path);
/* As source_open, except that a pipe that was not opened before is left alone. */
source *source_find(const char *path);
/* Its first bytes, fewer at its end; returns their number. */
size_t source_peek(source *s, const char **head);
/* As fread: 0 at the end, or on an error, which is then in errno. */
size_t source_read(source *s, void *to, size_t size);
bool source_failed(const source *s);

#endif
