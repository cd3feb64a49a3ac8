/* The page of a supernet's training. */
#ifndef SCARLET_SRC_NAS_SUPER_PAGE_H
#define SCARLET_SRC_NAS_SUPER_PAGE_H

#include "super_folder.h"

/* An epoch; NaN: not measured. */
typedef struct super_row {
    double epoch, loss, rate;
    double top1, spread; /* mean and standard deviation of the watched networks, percent */
    double condition;    /* the largest of a LET */
} super_row;

typedef struct super_results {
    char *path;
    super_row *row;
    size_t count;
} super_results;

/* A network that is scored after each epoch. */
typedef struct super_watched {
    char *genotype;
    int depth;   /* blocks */
    double top1; /* percent, after the last epoch */
} super_watched;

typedef struct super_watch {
    super_watched *item;
    size_t count;
} super_watch;

/* Writes report.html. about: the settings in words. */
void super_page(const super_folder *folder, const char *about, const super_results *results,
                const super_watch *watch);

#endif
