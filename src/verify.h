/* The parts of `scarlet verify`. */
#ifndef SCARLET_SRC_VERIFY_H
#define SCARLET_SRC_VERIFY_H

#include "json_read.h"
#include "pictures.h"

enum { TOP = 5, BINS = 15, WORST = 24, LISTED = 100 };

/* ---- records.c: what became of one picture ---- */

/* Of one model about one picture. */
typedef struct answer {
    int32_t top[TOP];        /* classes, the most probable first; -1 past the number of classes */
    float confidence, truth; /* probability of top[0], of the right class */
} answer;

typedef struct record {
    size_t index;
    char *file;
    int64_t label;
    char *error;      /* NULL: evaluated */
    answer answer[2]; /* the second of --compare */
} record;

void record_write(json *j, const record *r, size_t top, bool two);
/* False if the object is no record. Strings belong to the document. */
bool record_read(const json_doc *doc, const json_node *object, record *out, size_t top, bool two);
bool answer_hit(const answer *a, int64_t label, size_t top);

/* A file of records for people: CSV if its name ends so, else a JSON object a line. */
typedef struct predictions {
    FILE *file;
    const char *path;
    bool csv, two;
    size_t top;
} predictions;

void predictions_open(predictions *p, const char *path, size_t top, bool two);
void predictions_add(predictions *p, const record *r);
void predictions_close(predictions *p);

/* ---- tally.c: sums, in integers, so that they do not depend on order ---- */

typedef struct bin {                  /* of confidence: [b / BINS, (b + 1) / BINS) */
    int64_t count, right, confidence; /* confidence: sum in units of 1e-9 */
} bin;

typedef struct confusion {
    int64_t label, predicted, count;
} confusion;

typedef struct class_sums {
    int64_t count, right, hits; /* hits: within the top */
} class_sums;

/* Records kept for the report: sorted, the first `room` of all. */
typedef struct shelf {
    record *item;
    size_t count, room;
    int (*order)(const void *, const void *);
} shelf;

typedef struct comparison {
    int64_t right, hits;                   /* of the second model */
    int64_t agree;                         /* same top-1 */
    int64_t both, first_only, second_only; /* right */
    shelf differ;
} comparison;

typedef struct tally {
    size_t classes, top; /* top: 5, or the number of classes if that is less */
    int64_t total, right, hits, failed;
    bin bins[BINS];
    class_sums *per_class;
    confusion *confusions; /* open hash table of `room` places; count 0: free */
    size_t room, used;
    shelf worst, failures;
    bool two;
    comparison second;
} tally;

void tally_open(tally *t, size_t classes, bool two);
void tally_add(tally *t, const record *r);
void tally_confuse(tally *t, int64_t label, int64_t predicted, int64_t count);
/* Copies the record if it is among the first. */
void shelf_put(shelf *s, const record *r);
/* All confusions, the most frequent first; free it. */
confusion *tally_confusions(const tally *t, size_t *count);
void tally_close(tally *t);
double percent(int64_t part, int64_t whole);
/* Bounds of Wilson's interval at 95 %, in percent. */
void wilson(int64_t part, int64_t whole, double bounds[2]);
/* Expected calibration error, from 0 to 1. */
double calibration_error(const tally *t);
/* Exact two-sided p of McNemar's test for b and c discordant pictures. */
double mcnemar(int64_t b, int64_t c);

/* ---- truth.c: right classes of pictures that no folder tells ---- */

typedef struct truth {
    int64_t *by_line;
    size_t lines;
    bool positions; /* line n is of picture n where its name holds no number */
    struct named {
        char *name;
        int64_t label;
    } * named;
    size_t names;
} truth;

/* file: "class" or "name class" a line; NULL: the validation labels of ILSVRC2012. */
void truth_open(truth *t, const char *file);
void truth_close(truth *t);
/* Class of picture number `index` of this name, or NO_LABEL. */
int64_t truth_of(const truth *t, const char *name, size_t index);
/* Path of a data file of the installation, or where it should be; free it. */
char *data_file(const char *name);
/* Number N of ILSVRC2012_val_N.*, or 0. */
size_t validation_number(const char *path);

/* ---- journal.c: every picture's record, safe from kill -9 ---- */

typedef struct journal journal;

/* Opens the file for one run at a time. `head` tells what is evaluated: a file that is there must
 * begin with the same, and `resume` be true. Ends the program with a message. */
journal *journal_open(const char *path, const char *head, bool resume);
/* Number of records that earlier runs left and nobody has read yet. */
size_t journal_records(const journal *j);
/* The next of them, false after the last; it lives until the next call. */
bool journal_read(journal *j, record *out, size_t top, bool two);
void journal_add(journal *j, const record *r, size_t top, bool two);
void journal_close(journal *j);

/* ---- result.c: what is printed, stored and merged ---- */

enum { SHARDS_MAX = 100000 };

typedef struct contestant {
    char *file, *name, *identity, *precision, *settings;
} contestant;

typedef struct result {
    contestant model, other; /* other: of --compare */
    char *data;              /* what was evaluated */
    size_t shards;           /* the whole is made of so many */
    bool *shard;             /* those that are in here */
    bool complete;           /* with all their pictures */
    size_t workers;
    int64_t timed; /* pictures evaluated in so many seconds */
    double seconds;
    tally tally;
} result;

void result_print(const result *r);
void result_json(const result *r, const cli_names *names, FILE *out);
void result_free(result *r);
/* Name of a network's paper figures, or "TOP1:TOP5"; a usage error otherwise. */
void expected_figures(const cli_command *command, const char *text, double figures[2]);
/* Compares and says so; false if off by more than 0.05. */
bool result_expect(const result *r, const char *text, const double figures[2]);

/* ---- evaluate.c: all pictures of one run ---- */

typedef struct contender {
    const char *path;
    char *settings;
    cli_loaded loaded;
    scarlet_session **sessions; /* one a worker */
    size_t input_length, classes;
} contender;

typedef struct evaluation {
    contender model[2];
    size_t models; /* 2 with --compare */
    const cli_inputs *inputs;
    truth truth;
    size_t shard, shards; /* this one, of so many */
    bool skip_failures, quiet;
    journal *journal; /* NULL: none */
    predictions predictions;
    result *result;
    /* while it runs */
    feed feed;
    size_t resumed, workers; /* resumed: pictures that the journal holds already */
    float **scores;          /* one array a worker */
    bool stopped;
} evaluation;

/* False if a failure has stopped it. */
bool evaluate(evaluation *e);

/* ---- merge.c ---- */

/* Sums results in files that --json wrote; returns the number of missing shards. Ends the program
 * with a message. */
size_t result_merge(result *r, char **paths, size_t count);

/* ---- report.c ---- */

/* Writes one self-contained page. `inputs`: where to find the pictures again, or NULL. */
void report_write(const char *path, const result *r, const cli_names *names,
                  const cli_inputs *inputs, const scarlet_options *opts);

#endif
