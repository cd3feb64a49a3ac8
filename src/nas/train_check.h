/* scarlet train --check. */
#ifndef SCARLET_SRC_NAS_TRAIN_CHECK_H
#define SCARLET_SRC_NAS_TRAIN_CHECK_H

#include <stdbool.h>

#include "train_data.h"

/* Prints the pictures of each class and part; names broken pictures, and equal pictures in
 * different parts or classes. False if there are any. */
bool train_check(const train_data *d, const char *path, bool as_json, bool quiet);

#endif
