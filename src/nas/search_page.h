/* The page of a search. */
#ifndef SCARLET_SRC_NAS_SEARCH_PAGE_H
#define SCARLET_SRC_NAS_SEARCH_PAGE_H

#include <stdint.h>

#include "search_journal.h"

/* What is shown of a network that was evaluated. */
typedef struct search_trial {
    candidate about;
    int32_t generation;
    int32_t until;   /* generation by which it is not on the front; 0: it never was */
    double measured; /* milliseconds; NaN: not measured */
} search_trial;

/* Hypervolumes, as a share of the box around all networks; NaN: not known. */
typedef struct search_volume {
    double here;
    double rival; /* of another search, after as many networks */
} search_volume;

typedef struct search_page {
    const char *folder; /* receives report.html */
    const char *how;    /* algorithm, population and so on, for the reader */
    const char *super;  /* the supernet's folder; NULL: scores are from a table */
    const char *rival;  /* folder of the other search; NULL: none */
    size_t count;
    const search_trial *trial; /* in order */
    const size_t *front;       /* their indices, best first */
    size_t best;               /* how many */
    int objectives;
    const figure_name *objective;
    const double *most; /* [FIGURES]; infinite: no constraint */
    int32_t generations;
    const search_volume *volume; /* [generations] */
} search_page;

void search_page_write(const search_page *page);

#endif
