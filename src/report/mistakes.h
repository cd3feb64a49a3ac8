/* The worst mistakes, with their pictures. */
#ifndef SCARLET_SRC_REPORT_MISTAKES_H
#define SCARLET_SRC_REPORT_MISTAKES_H

#include <stdio.h>

#include "common/class_names.h"
#include "pictures/inputs.h"
#include "scarlet/scarlet.h"
#include "tally.h"

/* inputs: where to find the pictures again, by the options given; NULL: there are none. */
void put_mistakes(FILE *out, const tally *t, const cli_names *names, const cli_inputs *inputs,
                  const scarlet_options *opts);

#endif
