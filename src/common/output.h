/* Files that are written. */
#ifndef SCARLET_SRC_COMMON_OUTPUT_H
#define SCARLET_SRC_COMMON_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* {0}: none. */
typedef struct output_file {
    FILE *file;
    const char *path; /* "-": standard output */
    bool made;        /* the file was not there before */
} output_file;

/* Opens a file so that what makes it impossible is found before the work; what is in it stays until
 * output_begin. Ends the program with a message. */
void output_open(output_file *out, const char *path);
/* Empties the file: from here on it is written. */
void output_begin(output_file *out);
/* Ends the program with a message, and the file is removed, if something did not get there. */
void output_close(output_file *out);
/* Instead of output_begin: nothing is written after all. */
void output_abandon(output_file *out);

#endif
