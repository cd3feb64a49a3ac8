/* All pictures of one run. */
#ifndef SCARLET_SRC_VERIFY_EVALUATE_H
#define SCARLET_SRC_VERIFY_EVALUATE_H

#include "common/model.h"
#include "journal.h"
#include "pictures/class_rules.h"
#include "pictures/feed.h"
#include "pictures/truth.h"
#include "predictions.h"
#include "result.h"

typedef struct contender {
    const char *path;
    char *settings;
    cli_loaded loaded;
    scarlet_session **sessions; /* one per worker */
    size_t input_length, classes;
} contender;

typedef struct evaluation {
    contender model[2];
    size_t models; /* 2 with --compare */
    const cli_inputs *inputs;
    class_rules *rules; /* of folders in archives; NULL: they are not classes */
    truth truth;
    const truth *known; /* classes of the ILSVRC2012 validation pictures; NULL: not of this model */
    size_t shard, shards; /* this one, of so many */
    bool skip_failures, quiet;
    journal *journal; /* NULL: none */
    predictions predictions;
    result *result;
    /* while it runs */
    feed feed;
    size_t resumed, workers;    /* resumed: pictures that the journal already holds */
    float **scores;             /* one array per worker */
    bool stopped, contradicted; /* contradicted: by a known class, which was said */
} evaluation;

/* False if a failure has stopped it. */
bool evaluate(evaluation *e);

#endif
