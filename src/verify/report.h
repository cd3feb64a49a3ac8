/* The page that `scarlet verify --report` writes. */
#ifndef SCARLET_SRC_VERIFY_REPORT_H
#define SCARLET_SRC_VERIFY_REPORT_H

#include "pictures/inputs.h"
#include "result.h"
#include "scarlet/scarlet.h"

/* Writes one self-contained page. `inputs`: where to find the pictures again, or NULL. */
void report_write(const char *path, const result *r, const cli_names *names,
                  const cli_inputs *inputs, const scarlet_options *opts);

#endif
