/* scarlet verify. */
#ifndef SCARLET_SRC_VERIFY_VERIFY_H
#define SCARLET_SRC_VERIFY_VERIFY_H

#include "common/command.h"

extern const cli_command cli_verify;

#endif
