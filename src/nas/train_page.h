/* report.html of a training. */
#ifndef SCARLET_SRC_NAS_TRAIN_PAGE_H
#define SCARLET_SRC_NAS_TRAIN_PAGE_H

#include "common/class_names.h"
#include "train_data.h"
#include "train_score.h"

enum { SAMPLES = 24 };

typedef struct train_page {
    const char *folder, *source; /* of the run; the data */
    const char *network;
    const train_data *data;
    const cli_names *names;
    const train_score *validation, *test; /* NULL: there is no such part */
    uint64_t data_hash;
    double latency;       /* milliseconds a picture */
    struct train_sample { /* an augmented picture */
        char *html;
        int32_t label;
    } sample[SAMPLES];
    size_t samples;
} train_page;

/* Writes FOLDER/report.html, with the curves of FOLDER/results.csv and the arguments of
 * FOLDER/args.txt. */
void train_page_write(const train_page *page);

#endif
