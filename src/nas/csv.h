/* Tables of comma-separated values with a line of names at the top. */
#ifndef SCARLET_SRC_NAS_CSV_H
#define SCARLET_SRC_NAS_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/lines.h"

typedef struct csv {
    const char *path;
    text_file file; /* the cells point into it */
    char **cell;    /* [rows + 1][columns], names first */
    size_t rows, columns;
} csv;

/* Reads a file as RFC 4180 has it; lines that begin with '#' are comments. Ends the program with a
 * message if the file cannot be read or its lines differ in length. */
void csv_open(csv *table, const char *path);
void csv_close(csv *table);
bool csv_has(const csv *table, const char *name);
/* Index of the column of that name; ends the program with a message if there is none. */
size_t csv_column(const csv *table, const char *name);
const char *csv_cell(const csv *table, size_t row, size_t column);
/* A finite number; ends the program with a message if the cell holds something else. */
double csv_number(const csv *table, size_t row, size_t column);

#endif
