/* A training as the files of this folder see it. */
#ifndef SCARLET_NAS_TRAIN_RUN_H
#define SCARLET_NAS_TRAIN_RUN_H

#include "nas/data/loader.h"
#include "nas/train/checkpoint.h"
#include "nas/train/infer.h"
#include "nas/train/schedule.h"
#include "network/metadata.h"

/* The model that a fine-tuning begins with. */
typedef struct scarlet__initial {
    scarlet__source source; /* memory and name NULL: there is none */
    scarlet__tensors *tensors;
    scarlet__network network;
    scarlet__metadata metadata;
    bool same_labels; /* as the dataset's: its head is kept */
} scarlet__initial;

struct scarlet_trainer {
    const scarlet_dataset *dataset;
    scarlet_train_options *options;                   /* resolved; those given are in `progress` */
    char *checkpoint_path, *best_path, *results_path; /* NULL: nothing is written */
    unsigned threads;
    scarlet__initial initial;
    scarlet__network network;
    scarlet__metadata *changes;      /* what the model file says */
    scarlet__metadata_text metadata; /* the same as text */
    char *space;                     /* value of scarlet.space; NULL: the default one */

    scarlet__pictures *pictures;
    scarlet__loader *loader;
    scarlet__trainer *trainer;
    int64_t bytes; /* announced */
    scarlet__schedule schedule;
    int64_t per_epoch; /* steps */

    scarlet__progress progress;
    size_t features;               /* pictures whose features are there */
    bool head_pending;             /* features and the fit of the head come before the first step */
    double loss, rate, train_loss; /* NaN: none yet */
    scarlet__evaluation evaluation;
    int64_t began, checkpointed;     /* nanoseconds: first step, last checkpoint */
    int64_t measured, measured_step; /* the measured start of --time */

    scarlet_train_fn callback;
    void *user;
    bool cancelled;
};

/* The model file of the weights as they are now, to an open output. */
scarlet_status scarlet__deploy(const scarlet_trainer *t, scarlet__output *output, const char *name,
                               scarlet_error *err);
/* Computes features of the initial network, fits a head to them and loads it with the rest. */
scarlet_status scarlet__transfer(scarlet_trainer *t, scarlet_error *err);
/* results.csv as it stands. */
scarlet_status scarlet__results_write(const scarlet_trainer *t, scarlet_error *err);
/* Calls the program's callback; what it returns is kept in `cancelled`. */
static inline void scarlet__announce(scarlet_trainer *t, scarlet_train_event event)
{
    if (t->callback && t->callback(t->user, t, event) != 0)
        t->cancelled = true;
}

#endif
