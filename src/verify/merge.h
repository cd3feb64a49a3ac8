/* Results of shards, summed. */
#ifndef SCARLET_SRC_VERIFY_MERGE_H
#define SCARLET_SRC_VERIFY_MERGE_H

#include "result.h"

/* Sums results in files that --json wrote; returns the number of missing shards. Ends the program
 * with a message. */
size_t result_merge(result *r, char **paths, size_t count);

#endif
