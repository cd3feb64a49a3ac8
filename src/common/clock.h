/* Time that passes. */
#ifndef SCARLET_SRC_COMMON_CLOCK_H
#define SCARLET_SRC_COMMON_CLOCK_H

#include <stdint.h>

int64_t now_nanos(void);

#endif
