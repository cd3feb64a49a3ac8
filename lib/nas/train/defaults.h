/* What "auto" means: options resolved by the pictures and the initial checkpoint. */
#ifndef SCARLET_NAS_TRAIN_DEFAULTS_H
#define SCARLET_NAS_TRAIN_DEFAULTS_H

#include "nas/options.h"

typedef struct scarlet__circumstances {
    size_t pictures;     /* of the training part */
    uint32_t short_side; /* median of some of them; 0: unknown */
    bool fine_tuning;    /* from an initial checkpoint, which says: */
    int input_size, resize;
    const float *mean, *std;
} scarlet__circumstances;

/* Replaces each "auto" in *opts. Errors: ARGUMENT for options that contradict each other. */
scarlet_status scarlet__defaults_resolve(const scarlet__circumstances *c,
                                         scarlet_train_options *opts, scarlet_error *err);

#endif
