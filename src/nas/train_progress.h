/* What scarlet train prints while it trains. */
#ifndef SCARLET_SRC_NAS_TRAIN_PROGRESS_H
#define SCARLET_SRC_NAS_TRAIN_PROGRESS_H

#include "train_data.h"

typedef struct train_progress {
    const train_data *data;
    bool json, quiet;
    /* while it runs */
    bool terminal, shown;
    int64_t start, last; /* nanoseconds: the first step here, the last line on the terminal */
    double start_step;
    size_t broken; /* pictures named */
} train_progress;

/* Call it before the training starts. */
void train_progress_open(train_progress *p);
/* A scarlet_train_fn; user is the progress. Ctrl-C and SIGTERM cancel. */
int32_t train_progress_event(void *user, const scarlet_trainer *trainer, scarlet_train_event event);
/* Removes the line on the terminal. */
void train_progress_hide(train_progress *p);
/* "1 h 5 min", "3 min 2 s"; free it. */
char *duration(double seconds);

#endif
