/* The worst mistakes, with their pictures. */
#ifndef SCARLET_SRC_REPORT_MISTAKES_H
#define SCARLET_SRC_REPORT_MISTAKES_H

#include <stdio.h>

#include "common/class_names.h"
#include "tally.h"

/* thumbnail: HTML of each of the worst, or NULL; NULL: there are none. */
void put_mistakes(FILE *out, const tally *t, const cli_names *names, char *const *thumbnail);

#endif
