/* The result of a run: printed, stored, merged. */
#ifndef SCARLET_SRC_VERIFY_RESULT_H
#define SCARLET_SRC_VERIFY_RESULT_H

#include <stdio.h>

#include "common/class_names.h"
#include "report/origin.h"
#include "report/tally.h"

enum { SHARDS_MAX = 100000 };

typedef struct contestant {
    char *file, *name, *identity, *precision, *settings;
    char *bytes; /* a hash of the file; NULL in a merge */
} contestant;

typedef struct result {
    contestant model, other; /* other: of --compare */
    char *data;              /* what was evaluated */
    size_t shards;           /* of the whole */
    bool *shard;             /* those that are in here */
    bool complete;           /* with all their pictures */
    char **names;            /* of classes, from the parts of a merge; NULL: not known */
    size_t workers;
    int64_t timed; /* pictures evaluated in so many seconds, those of all shards */
    double seconds;
    origin origin;
    tally tally;
} result;

/* The line of the authors' evaluation comes last. summary: a readable one before it. */
void result_print(const result *r, bool summary, FILE *out);
void result_json(const result *r, const cli_names *names, FILE *out);
void result_free(result *r);

#endif
