/* The benchmark of networks that are all trained: what its commands share. */
#ifndef BENCH_NAS_BENCH_H
#define BENCH_NAS_BENCH_H

#include <scarlet/nas.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

/* ---- what a command was asked for ---- */

typedef struct task {
    const char *data, *space, *folder;
    int shard, shards; /* jobs number k with k % shards == shard */
    int first_seed, last_seed;
    int epochs, pictures; /* 0: the protocol's */
    int most;             /* jobs to do at most; 0: any */
    int only;             /* of truth: this network; -1: all */
} task;

/* Ends the program with the message of err unless status is OK. */
void must(scarlet_status status, const scarlet_error *err);
/* Ends the program with a message, and that of errno if it is set. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *must_alloc(size_t count, size_t size);
/* Seconds of CPU time that this process has taken. */
double cpu_seconds(void);

/* ---- data.c ---- */

/* What the pictures called SCARLET_PART_TEST are. */
typedef enum probe {
    PROBE_TEST, /* the test set */
    PROBE_SPARE /* 2,000 pictures of the training file that are neither trained on nor validated */
} probe;

typedef struct pictures {
    scarlet_dataset *dataset;
    unsigned char *pixels;
} pictures;

/* Fashion-MNIST of a folder of IDX files: the first 30,000 training pictures, the last 10,000 of
 * the same file for validation, and the probe; with `count` so many of each at most. Each gets a
 * black border of 2 pixels, from which training cuts out 28 x 28 at random and everything else the
 * centre.
 */
void pictures_load(pictures *p, const char *folder, int count, probe tested);
void pictures_free(pictures *p);

/* Sets the options of the protocol that truth and supernets share. */
void set_protocol(scarlet_train_options *opts, int epochs, int seed);

/* ---- networks.c ---- */

typedef char genotype[SCARLET_GENOTYPE_SIZE];

/* All networks of a small space, 48 random ones of a large one. */
typedef struct networks {
    scarlet_space *space;
    genotype *item;
    int count;
} networks;

void networks_load(networks *n, const char *space);
void networks_free(networks *n);
/* An order in which the first few are like a random sample. */
int networks_at(const networks *n, int place);
/* Whether network `index` is one of the third that are trained a third time. */
bool networks_thrice(int index);

/* ---- journal.c ---- */

/* A table that survives kill -9: complete rows, synced one by one. A row begins with its key, cells
 * that no other row begins with. The rows of other shards count as done too. */
typedef struct journal {
    FILE *file;
    char **key;
    size_t count, capacity;
    int cells; /* of a key */
} journal;

/* FOLDER/NAME-SPACE-SHARDofSHARDS.csv; created with the line of column names unless it exists. */
void journal_open(journal *j, const task *t, const char *name, int cells, const char *columns);
bool journal_has(const journal *j, const char *key);
/* key: the first cells as they are in the file; rest: the others. */
void journal_add(journal *j, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void journal_close(journal *j);

/* ---- commands ---- */

void truth(const task *t);
void supernets(const task *t);

#endif
