/* The model that a subcommand uses. */
#ifndef SCARLET_SRC_COMMON_MODEL_H
#define SCARLET_SRC_COMMON_MODEL_H

#include "command.h"
#include "scarlet/scarlet.h"

/* `path`, else $SCARLET_MODEL, else a usage error. */
const char *cli_model_path(const cli_command *command, const char *path);
/* As cli_model_path, or the first argument, which is then taken, if its name is that of a model. */
const char *cli_model_argument(const cli_command *command, const char *path, int argc, char **argv);

/* A model ready to run. opts: what the model's metadata asks for, overridden by the settings; its
 * crop is the session's input size. */
typedef struct cli_loaded {
    scarlet_model *model;
    scarlet_session *session;
    scarlet_options *opts;
} cli_loaded;

/* Loads a model and makes a session, or ends with a message: USAGE for a setting that does not fit
 * the model, else MODEL_UNUSABLE. */
void cli_load_model(cli_loaded *loaded, const cli_command *command, const char *path,
                    const char *settings);
void cli_unload_model(cli_loaded *loaded);
/* Ends the program as cli_load_model does. */
__attribute__((noreturn)) void cli_model_failed(const cli_command *command,
                                                const scarlet_error *err);

#endif
