/* The journal of a search: a line for each network evaluated, safe from kill -9. */
#ifndef SCARLET_SRC_NAS_SEARCH_JOURNAL_H
#define SCARLET_SRC_NAS_SEARCH_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is known of a network; NaN: not. */
typedef enum figure_name {
    CROSS_ENTROPY,
    TOP1,
    LATENCY_MS,
    MACS,
    PARAMETERS,
    FIGURES,
} figure_name;

extern const char *const figure_names[FIGURES];

typedef struct candidate {
    char *genotype;
    double figure[FIGURES];
    uint64_t statistics; /* digest of batch norm's statistics, as scarlet_score has it; 0: none */
} candidate;

/* Copies all but the genotype. */
void candidate_take(candidate *c, const candidate *from);

typedef struct search_journal search_journal;

/* Opens the file. `about` says what is searched: a file that is there must say the same, and
 * `resume` be true. A line cut off at the end is dropped. `seed` is the search's, and written with
 * each network. Ends the program with a message. */
search_journal *journal_open(const char *path, const char *about, uint64_t seed, bool resume);
/* Fills in what is known of a network that the file had when it was opened. */
bool journal_find(const search_journal *journal, candidate *c);
/* Appends and syncs. */
void journal_add(search_journal *journal, const candidate *c);
void journal_close(search_journal *journal);

#endif
