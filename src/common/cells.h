/* Cells of tables in text, as RFC 4180 has them. */
#ifndef SCARLET_SRC_COMMON_CELLS_H
#define SCARLET_SRC_COMMON_CELLS_H

#include <stdbool.h>
#include <stdio.h>

/* Cuts the cell at *at off in place, without its quotes. Returns what ended it: one of `stops`,
 * which *at moves past, or NUL at the end of the text. matched: false if its quotes do not; may be
 * NULL.
 */
char cell_cut(char **at, const char *stops, char **cell, bool *matched);
/* Writes a cell in quotes. */
void cell_put_quoted(FILE *out, const char *text);
/* Writes a cell, in quotes if need be. */
void cell_put(FILE *out, const char *text);

#endif
