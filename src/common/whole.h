/* Files in memory. */
#ifndef SCARLET_SRC_COMMON_WHOLE_H
#define SCARLET_SRC_COMMON_WHOLE_H

#include <stddef.h>

enum { WHOLE_MAX = 1 << 30 };

/* All bytes of a file or an opened source ("-"), and a NUL after them; free *data. Returns 0 or a
 * value of errno: EFBIG for more than WHOLE_MAX bytes. */
int read_whole(const char *path, char **data, size_t *size);
/* What follows a byte-order mark, or all of the text. */
char *after_mark(char *text);

#endif
