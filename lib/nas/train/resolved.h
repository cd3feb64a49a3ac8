/* What a training is made of, as its options say once every "auto" is resolved. */
#ifndef SCARLET_NAS_TRAIN_RESOLVED_H
#define SCARLET_NAS_TRAIN_RESOLVED_H

#include "nas/data/loader.h"
#include "nas/options.h"
#include "nas/train/schedule.h"

scarlet_status scarlet__resolved_pictures(const scarlet_dataset *dataset,
                                          const scarlet_train_options *opts,
                                          scarlet__pictures **out, scarlet_error *err);
scarlet_status scarlet__resolved_loader(const scarlet_dataset *dataset, scarlet__pictures *pictures,
                                        const scarlet_train_options *opts, int micro_batch,
                                        int micro_batches, scarlet__loader **out,
                                        scarlet_error *err);
scarlet__schedule scarlet__resolved_schedule(const scarlet_train_options *opts, int64_t per_epoch);
unsigned scarlet__resolved_threads(const scarlet_train_options *opts);
int scarlet__resolved_isa(const scarlet_train_options *opts);

#endif
