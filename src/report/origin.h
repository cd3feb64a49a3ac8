/* When and where a result was made. */
#ifndef SCARLET_SRC_REPORT_ORIGIN_H
#define SCARLET_SRC_REPORT_ORIGIN_H

#include <stdio.h>

typedef struct origin {
    char *date;    /* 2026-01-31T12:59:59Z */
    char *library; /* its version and the instruction set used, as scarlet_build_info() */
    char *machine; /* its processor and how many CPUs the process may use */
} origin;

/* Now and here. */
origin origin_here(void);
/* The origin of two results together: the later date, each library and machine once. */
void origin_join(origin *o, const origin *other);
void origin_put(FILE *out, const origin *o);
void origin_free(origin *o);

#endif
