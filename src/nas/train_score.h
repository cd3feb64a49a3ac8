/* What a finished model file makes of one part of the data. */
#ifndef SCARLET_SRC_NAS_TRAIN_SCORE_H
#define SCARLET_SRC_NAS_TRAIN_SCORE_H

#include "common/model.h"
#include "report/tally.h"
#include "train_data.h"

typedef struct train_score {
    scarlet_part part;
    tally tally;
    char *thumbnail[WORST]; /* HTML of the worst mistakes; NULL: none */
} train_score;

/* Asks the model about every picture of a part. lines: file that receives a line for each, or NULL.
 * Failures are counted. */
void score_part(train_score *s, const cli_command *command, const train_data *d, scarlet_part part,
                const cli_loaded *model, const char *lines, bool quiet);
void score_free(train_score *s);
/* Writes how many pictures of each class (a row) were taken for each class (a column), as CSV. */
void score_write_confusion(const train_score *s, const train_data *d, const char *path);
/* Milliseconds for one picture from its file to its class, with all threads: the median of some. */
double score_latency(const train_data *d, const cli_loaded *model);

#endif
