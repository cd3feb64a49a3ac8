/* Text files, line by line. */
#ifndef SCARLET_SRC_COMMON_LINES_H
#define SCARLET_SRC_COMMON_LINES_H

#include <stddef.h>

/* Calls `line` for each line that is not empty ("-": of standard input), or for each piece if NUL
 * bytes separate them; number: from 0, empty ones count. A byte-order mark and carriage returns are
 * left out. Ends the program with a message if the file cannot be read. */
void read_lines(const char *path, void (*line)(void *user, char *text, size_t number), void *user);
/* Cuts blanks at the end. */
void cut_blanks(char *text);

#endif
