/* Inputs as a stream of pictures. */
#ifndef SCARLET_SRC_PICTURES_FEED_H
#define SCARLET_SRC_PICTURES_FEED_H

#include "inputs.h"
#include "picture.h"

/* Start with {.inputs = ...}. */
typedef struct feed {
    const cli_inputs *inputs;
    picture_wanted wanted; /* NULL: all are; other members of archives come without data */
    const void *user;
    size_t at, next; /* input, index of the next picture */
    struct tar *tar; /* the open archive */
    skipped skipped; /* members of archives */
} feed;

/* The next picture, false after the last. */
bool feed_next(feed *f, cli_picture *out);
void feed_close(feed *f);

#endif
