/* Pictures one after the other: where they come from, and the threads that work on them. */
#ifndef SCARLET_SRC_PICTURES_H
#define SCARLET_SRC_PICTURES_H

#include "cli.h"

enum { NO_LABEL = -1 };

/* ---- inputs.c: what the command line names ---- */

typedef struct cli_input {
    char *path;        /* "-": standard input */
    const char *error; /* why there is nothing to load; NULL: load it */
    int64_t label;     /* class, or NO_LABEL */
    bool archive;      /* of an unknown number of pictures */
} cli_input;

typedef struct cli_inputs {
    cli_input *item;
    size_t count;
    bool archives; /* some item is one */
} cli_inputs;

/* Adds a file, "-", an archive, or all pictures below a folder in byte order of their paths. */
void cli_inputs_add(cli_inputs *inputs, const char *path);
void cli_inputs_append(cli_inputs *inputs, const char *path, const char *error, int64_t label);
void cli_inputs_free(cli_inputs *inputs);
/* Does torchvision's ImageFolder take a file of this name for a picture? */
bool is_picture(const char *name);
/* Does the file look like a tar archive, plain or compressed? */
bool is_archive(const char *path);

/* ---- folders.c ---- */

/* Adds the pictures of torchvision's ImageFolder(root), in its order, labelled by its classes.
 * Returns the number of classes. A folder that it refuses ends the program with a message. */
size_t cli_inputs_add_classes(cli_inputs *inputs, const char *root);
/* Has the folder sub-folders? */
bool has_folders(const char *path);
/* Order of Python's strings: by code points, bytes that are not UTF-8 as surrogates. */
int by_code_points(const char *a, const char *b);

/* ---- lists.c ---- */

/* Calls `line` for each line of a text file ("-": standard input), or for each piece if the file
 * holds NUL bytes. Ends the program with a message if the file cannot be read. */
void read_lines(const char *path, void (*line)(void *user, char *text, size_t number), void *user);
/* Adds the files that a list names, relative to its own folder. labels: "name class" is allowed. */
void cli_inputs_add_list(cli_inputs *inputs, const char *path, bool labels);
/* Splits "name class": cuts the text behind the name. NO_LABEL: there is no class in it. */
int64_t cut_label(char *text);

/* ---- feed.c: the pictures themselves ---- */

typedef struct cli_picture {
    size_t index;  /* place in the whole order, from 0 */
    char *name;    /* path; ARCHIVE:MEMBER */
    char *data;    /* contents of a member; NULL: load the file `name` */
    size_t size;   /* bytes of data */
    char *error;   /* why there is nothing to load; NULL: load it */
    int64_t label; /* class, or NO_LABEL */
} cli_picture;

/* Is the content of this picture wanted? Members of archives that are not are passed over. */
typedef bool (*feed_wanted)(const void *user, size_t index);

typedef struct feed {
    const cli_inputs *inputs;
    feed_wanted wanted; /* NULL: all are */
    const void *user;
    size_t at, next; /* input, index of the next picture */
    struct tar *tar; /* the open archive */
} feed;

/* The next picture, false after the last. Start with {.inputs = ...}. */
bool feed_next(feed *f, cli_picture *out);
void feed_close(feed *f);
void cli_picture_free(cli_picture *picture);
/* Decodes a picture from its data, its file, or for "-" from standard input. */
scarlet_status cli_load(const cli_picture *picture, const scarlet_options *opts,
                        scarlet_image **out, scarlet_error *err);

/* ---- archive.c: tar archives as a stream ---- */

struct tar *tar_open(const char *path);
/* The next picture, false after the last. What is wrong with the archive itself comes as a last
 * picture with an error. */
bool tar_next(struct tar *tar, const feed *f, cli_picture *out);
void tar_close(struct tar *tar);

/* ---- pipeline.c: work in parallel, results in order ---- */

typedef struct pipeline {
    size_t workers;
    void *items; /* room for `room` items of `size` bytes, zeroed */
    size_t room, size;
    void *user;
    bool (*next)(void *user, void *item);                /* fills an item; false: no more */
    void (*work)(void *user, size_t worker, void *item); /* on a thread of its own */
    bool (*done)(void *user, void *item);                /* in order; false: stop here */
} pipeline;

enum { ROOM_PER_WORKER = 4 };

/* next and done run on the calling thread. Returns when all is done, `done` stops it, or the user
 * interrupts; then workers may still be at it, and the program must end. */
void pipeline_run(const pipeline *p);

/* ---- workers.c ---- */

/* How many pictures to work on at once: `wanted`, or for 0 as many as the CPUs that the process may
 * use. */
size_t worker_count(scarlet_model *model, size_t wanted);
/* A session for each worker, all with `settings`; the first is `own`. Ends with a message. */
scarlet_session **worker_sessions(const cli_command *command, scarlet_model *model,
                                  scarlet_session *own, const char *settings, size_t workers);
void worker_sessions_free(scarlet_session **sessions, size_t workers); /* not the first */

#endif
