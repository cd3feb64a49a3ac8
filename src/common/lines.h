/* Text files, line by line. */
#ifndef SCARLET_SRC_COMMON_LINES_H
#define SCARLET_SRC_COMMON_LINES_H

#include <stddef.h>

typedef struct text_file {
    const char *path;
    char *data, *text; /* text: after a byte-order mark; ends with a NUL */
    size_t size;       /* of text */
} text_file;

/* number: from 0, empty lines count. */
typedef void line_callback(void *user, char *text, size_t number);

/* Reads a file ("-": standard input); ends the program with a message if it cannot be read. */
void text_open(text_file *file, const char *path);
/* Calls `line` for each line that is not empty, or for each piece if NUL bytes separate them;
 * carriage returns at its end are left out. Only once: lines are cut in place. */
void text_lines(text_file *file, line_callback *line, void *user);
void text_close(text_file *file);
/* All three. */
void read_lines(const char *path, line_callback *line, void *user);
/* Cuts blanks at the end. */
void cut_blanks(char *text);

#endif
