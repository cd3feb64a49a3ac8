/* Library options from the command line. They are kept as text because they are needed twice: to
 * load the model, and to override what the model's metadata asks for. */
#ifndef SCARLET_SRC_COMMON_SETTINGS_H
#define SCARLET_SRC_COMMON_SETTINGS_H

#include "command.h"
#include "scarlet/scarlet.h"

/* Appends "name=value", one or more, printed by `format`, to *settings: text for
 * scarlet_options_parse (initially NULL; free it). A wrong one is a usage error. */
__attribute__((format(printf, 3, 4))) void cli_set(char **settings, const cli_command *command,
                                                   const char *format, ...);
/* Applies settings to `base`, or to new options if it is NULL; returns them. */
scarlet_options *cli_options(const char *settings, scarlet_options *base);

#endif
