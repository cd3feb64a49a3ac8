/* Text files, line by line. */
#ifndef SCARLET_SRC_COMMON_LINES_H
#define SCARLET_SRC_COMMON_LINES_H

#include <stddef.h>

/* Calls `line` for each line that is not empty ("-": of standard input), or for each piece if the
 * file contains NUL bytes; number: from 0, empty ones count. Ends the program with a message if
 * the file cannot be read. */
void read_lines(const char *path, void (*line)(void *user, char *text, size_t number), void *user);

#endif
