/* Exit codes of the command. */
#ifndef SCARLET_SRC_COMMON_STATUS_H
#define SCARLET_SRC_COMMON_STATUS_H

enum { DONE = 0, INPUT_FAILED = 1, USAGE = 2, MODEL_UNUSABLE = 3 };

#endif
