/* Lists that are tables (CSV): which columns name pictures and their classes. */
#ifndef SCARLET_SRC_PICTURES_TABLE_H
#define SCARLET_SRC_PICTURES_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Start with {.csv = true} if the file's name says so. */
typedef struct table {
    bool csv, begun;
    char separator; /* '\0': the file is not a table */
    size_t name, label;
    bool has_name, has_label;
} table;

/* Takes a line apart in place. False: it is not a row, but the header, or the file is not a table.
 * name, label: of this row; NULL if there is no such field. */
bool table_row(table *t, char *line, char **name, char **label);
/* Is this line the header? Ask after table_row. */
bool table_is(const table *t);

#endif
