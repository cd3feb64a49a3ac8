/* Lists that are tables (CSV): which columns name pictures, their classes and parts. */
#ifndef SCARLET_SRC_PICTURES_TABLE_H
#define SCARLET_SRC_PICTURES_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Start with {.csv = true} if the file's name says so, {.separated = true} if a comma, a semicolon
 * or a tab in the first line does. Other files are tables if their first line names columns. */
typedef struct table {
    bool csv, separated, begun;
    char separator;           /* '\0': the file is not a table */
    size_t name, label, part; /* columns from 1; 0: none */
} table;

typedef struct table_row {
    char *name, *label, *part; /* NULL: there is no such field */
} table_row;

typedef enum table_line {
    TABLE_NONE, /* the file is not a table */
    TABLE_HEADER,
    TABLE_ROW,
} table_line;

/* Says what a line is, and takes a row apart in place. */
table_line table_read(table *t, char *line, table_row *row);

#endif
