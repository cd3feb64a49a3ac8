/* The subcommands of this folder, each defined in the file of its name. */
#ifndef SCARLET_SRC_COMMANDS_H
#define SCARLET_SRC_COMMANDS_H

#include "common/command.h"

extern const cli_command cli_classify, cli_prepare_val, cli_info, cli_convert, cli_bench;

#endif
