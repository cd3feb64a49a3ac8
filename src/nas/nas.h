/* The subcommands of this folder are programs of their own, each of main.c and the file of its
 * name. */
#ifndef SCARLET_SRC_NAS_NAS_H
#define SCARLET_SRC_NAS_NAS_H

#include "common/command.h"

extern const cli_command cli_nas; /* the program's */

#endif
