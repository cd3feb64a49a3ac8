/* The object of a supernet's training as the files of this folder see it. */
#ifndef SCARLET_NAS_SUPERNET_RUN_H
#define SCARLET_NAS_SUPERNET_RUN_H

#include "nas/options.h"
#include "nas/supernet/fair_step.h"
#include "nas/train/resolved.h"

struct scarlet_supernet {
    const scarlet_dataset *dataset;
    scarlet_space *space; /* with the dataset's classes */
    scarlet_supernet_settings settings;
    scarlet_train_options *given, *options; /* the latter resolved */
    uint64_t data;                          /* hash of the dataset */
    unsigned threads;
    scarlet__pictures *pictures;
    scarlet__loader *loader;
    scarlet__schedule schedule;
    int64_t per_epoch, epoch; /* steps of an epoch; the one that the loader is in, -1: none */
    scarlet__supernet net;
    scarlet__fair fair;
    scarlet__path largest;
    int64_t *trained; /* how many dealt paths have trained each choice, by its part */
    double loss, rate;
    struct scarlet__scorer *scorer; /* made when the first network is scored */
};

/* Makes everything but the weights' values, which are the first ones. */
scarlet_status scarlet__supernet_prepare(const scarlet_space *space, const scarlet_dataset *dataset,
                                         const scarlet_supernet_settings *settings,
                                         const scarlet_train_options *opts, uint32_t threads,
                                         scarlet_supernet **out, scarlet_error *err);

#endif
