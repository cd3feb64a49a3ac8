/* The page that `scarlet verify --report` writes. */
#ifndef SCARLET_SRC_VERIFY_REPORT_H
#define SCARLET_SRC_VERIFY_REPORT_H

#include "common/output.h"
#include "pictures/inputs.h"
#include "result.h"
#include "scarlet/scarlet.h"

/* Writes one self-contained page and closes `page`. `inputs`: where to find the pictures again, or
 * NULL. */
void report_write(output_file *page, const result *r, const cli_names *names,
                  const cli_inputs *inputs, const scarlet_options *opts);

#endif
