/* Work in parallel, results in order. */
#ifndef SCARLET_SRC_PICTURES_PIPELINE_H
#define SCARLET_SRC_PICTURES_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

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
 * interrupts; workers may then still be at work, and the program must end. */
void pipeline_run(const pipeline *p);

#endif
