/* The table of latencies, as other files of the library see it. */
#ifndef SCARLET_NAS_SEARCH_LATENCY_H
#define SCARLET_NAS_SEARCH_LATENCY_H

#include "nas/supernet/spaces.h"

struct scarlet_latency {
    scarlet_space *space;
    scarlet_options *opts; /* NULL: read from a file */
    char *head;            /* "machine ...\nisa ...\n", the space's text at the end */
    bool fitted;
    int64_t constant; /* nanoseconds, as are the terms */
    int64_t term[SCARLET__SPACE_LAYERS_MAX][SCARLET__CHOICES_MAX];
};

int64_t scarlet__latency_of(const scarlet_latency *latency, const scarlet__path *path);

#endif
