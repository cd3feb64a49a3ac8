/* Self-contained pages: their frame, their style and their cards. */
#ifndef SCARLET_SRC_REPORT_PAGE_H
#define SCARLET_SRC_REPORT_PAGE_H

#include <stdint.h>
#include <stdio.h>

/* Head and end of a page. */
void page_begin(FILE *out, const char *title);
void page_end(FILE *out);
/* Opens a file for a page and writes its head. Ends the program with a message on failure. */
FILE *page_open(const char *path, const char *title);
/* Ends the page; a file that cannot be finished is removed, and the program ends with a message. */
void page_close(FILE *out, const char *path);

/* Lets the reader sort the tables above by their columns that have a button in the heading; another
 * press turns the order round. Their first column counts as text. */
void page_sorting(FILE *out);

/* A row of cards: figures that the reader sees first. The value has that id, the note "ID-note". */
void page_cards_open(FILE *out);
__attribute__((format(printf, 5, 6))) void page_card(FILE *out, const char *id, const char *name,
                                                     const char *note, const char *format, ...);
/* A share in percent; the note is its interval. */
void page_share(FILE *out, const char *id, const char *name, int64_t part, int64_t whole);
void page_cards_close(FILE *out);

#endif
