/* Standard input, whose first bytes can be looked at before it is read. */
#ifndef SCARLET_SRC_COMMON_STANDARD_INPUT_H
#define SCARLET_SRC_COMMON_STANDARD_INPUT_H

#include <stddef.h>

enum { STDIN_HEAD = 512 };

/* Its first bytes, fewer at its end; returns their number. */
size_t stdin_peek(const char **head);
/* As fread: 0 at the end, or on an error, which is then in errno and left for ferror(stdin). */
size_t stdin_read(void *to, size_t size);

#endif
