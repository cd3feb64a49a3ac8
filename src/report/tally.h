/* Sums over pictures, in integers, so that they do not depend on order. */
#ifndef SCARLET_SRC_REPORT_TALLY_H
#define SCARLET_SRC_REPORT_TALLY_H

#include "record.h"

enum { BINS = 15, WORST = 24, LISTED = 100 };

typedef struct bin {                  /* of confidence: [b / BINS, (b + 1) / BINS) */
    int64_t count, right, confidence; /* confidence: sum in units of 1e-9 */
} bin;

typedef struct confusion {
    int64_t label, predicted, count;
} confusion;

typedef struct class_sums {
    int64_t count, right, hits; /* hits: within the top */
} class_sums;

/* Records kept for the report: sorted, the first `room` of all. */
typedef struct shelf {
    record *item;
    size_t count, room;
    int (*order)(const void *, const void *);
} shelf;

typedef struct comparison {
    int64_t right, hits;                   /* of the second model */
    int64_t agree;                         /* same top-1 */
    int64_t both, first_only, second_only; /* right */
    shelf differ;
} comparison;

typedef struct tally {
    size_t classes, top; /* top: 5, or the number of classes if that is less */
    int64_t total, right, hits, failed;
    bin bins[BINS];
    class_sums *per_class;
    confusion *confusions; /* open hash table of `room` places; count 0: free */
    size_t room, used;
    shelf worst, failures;
    bool two;
    comparison second;
} tally;

void tally_open(tally *t, size_t classes, bool two);
void tally_add(tally *t, const record *r);
void tally_confuse(tally *t, int64_t label, int64_t predicted, int64_t count);
/* Copies the record if it is among the first. */
void shelf_put(shelf *s, const record *r);
/* All confusions, the most frequent first; free it. */
confusion *tally_confusions(const tally *t, size_t *count);
/* How often each class was predicted for pictures of class `label`: count[classes]. */
void tally_row(const tally *t, size_t label, int64_t *count);
/* Expected calibration error, from 0 to 1. */
double calibration_error(const tally *t);
void tally_close(tally *t);

#endif
