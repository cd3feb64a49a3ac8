/* A training run on disk: everything that the next step depends on, in one safetensors file. */
#ifndef SCARLET_NAS_TRAIN_CHECKPOINT_H
#define SCARLET_NAS_TRAIN_CHECKPOINT_H

#include "nas/options.h"
#include "nas/train/trainer.h"

/* What a checkpoint holds beside tensors. */
typedef struct scarlet__progress {
    int64_t step;       /* done */
    int64_t steps;      /* in all; 0: not known yet */
    double loss;        /* sum over the steps of the epoch begun */
    double best;        /* of the metric, higher is better; NaN: none yet */
    int64_t best_epoch; /* from 1; 0: the head alone */
    int64_t epoch;      /* finished */
    bool finished;
    uint64_t data;                  /* hash of the dataset */
    scarlet_train_options *options; /* as given */
    char *rows;                     /* of results.csv, without its head */
} scarlet__progress;

/* Frees what it points to. */
void scarlet__progress_clear(scarlet__progress *progress);

/* Written complete, synced, or not at all. */
scarlet_status scarlet__checkpoint_write(const char *path, const scarlet__trainer *trainer,
                                         const scarlet__progress *progress, scarlet_error *err);

typedef struct scarlet__checkpoint scarlet__checkpoint;

/* Opens a checkpoint and reads everything but tensors. Errors: IO, FORMAT (not a checkpoint of a
 * training), UNSUPPORTED (of another version), CORRUPT. */
scarlet_status scarlet__checkpoint_open(const char *path, scarlet__checkpoint **out,
                                        scarlet__progress *progress, scarlet_error *err);
/* Loads the tensors. CORRUPT if they are not those that were written. */
scarlet_status scarlet__checkpoint_load(scarlet__checkpoint *checkpoint, scarlet__trainer *trainer,
                                        scarlet_error *err);
void scarlet__checkpoint_close(scarlet__checkpoint *checkpoint);

#endif
