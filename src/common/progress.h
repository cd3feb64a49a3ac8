/* A progress bar on a terminal. */
#ifndef SCARLET_SRC_COMMON_PROGRESS_H
#define SCARLET_SRC_COMMON_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* total = 0: not known. */
void progress_start(size_t total, bool quiet);
void progress_step(size_t done);
/* Removes the bar: before anything else is printed, and at the end. */
void progress_hide(void);

#endif
