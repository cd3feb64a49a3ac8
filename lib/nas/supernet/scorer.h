/*
 * Running paths on pictures as they come: batch norm's statistics are measured on some of the
 * training part, then pictures classified with them.
 */
#ifndef SCARLET_NAS_SUPERNET_SCORER_H
#define SCARLET_NAS_SUPERNET_SCORER_H

#include "nas/supernet/run.h"

enum { SCARLET__SCORE_BATCH = 64, SCARLET__SCORE_BATCHES = 32 };

typedef struct scarlet__scorer scarlet__scorer;

/* The supernet's own, made when it is first asked for. */
scarlet_status scarlet__scorer_get(scarlet_supernet *supernet, scarlet__scorer **out,
                                   scarlet_error *err);
void scarlet__scorer_free(scarlet__scorer *scorer);

/* A path to run. */
typedef struct scarlet__runner {
    const scarlet__supernet *net; /* the scorer's, or one with part of its choices */
    const float *weights;
    scarlet__path path;
    float *running; /* [net->path_statistics] */
} scarlet__runner;

/* Sets runner->running: means over the batches of what batch norm saw in each. */
scarlet_status scarlet__scorer_measure(scarlet__scorer *scorer, const scarlet__runner *runner,
                                       scarlet_error *err);
/* Classifies the first `most` pictures of a part. *score receives the means, and logits, unless
 * NULL, the scores [picture][classes]. */
scarlet_status scarlet__scorer_classify(scarlet__scorer *scorer, const scarlet__runner *runner,
                                        scarlet_part part, size_t most, scarlet_score *score,
                                        float *logits, scarlet_error *err);
/* What a model file in memory makes of the first pictures of the training part, of which there are
 * `count`: logits [picture][classes], by libscarlet. */
scarlet_status scarlet__scorer_infer(scarlet__scorer *scorer, const void *file, size_t size,
                                     size_t count, float *logits, scarlet_error *err);

#endif
