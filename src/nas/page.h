/* Self-contained pages with plots. */
#ifndef SCARLET_SRC_NAS_PAGE_H
#define SCARLET_SRC_NAS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Opens a file for a page and writes its head. Ends the program with a message on failure. */
FILE *page_open(const char *path, const char *title);
/* Ends the page; a file that cannot be finished is removed, and the program ends with a message. */
void page_close(FILE *out, const char *path);

/* Dots with names; x and y finite. */
typedef struct scatter {
    const char *title, *x_name, *y_name;
    size_t n;
    const double *x, *y;
    const char *const *name; /* of a dot, shown when pointed at */
    const int *shade;        /* of a dot, 0 .. shades-1; NULL: all the same */
    int shades;
    bool diagonal; /* the line x = y; both axes have the same range */
} scatter;

void page_scatter(FILE *out, const scatter *plot);

#endif
