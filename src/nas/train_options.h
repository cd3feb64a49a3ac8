/* What scarlet train is asked for: on the command line, in a file of --config, in a run's folder.
 */
#ifndef SCARLET_SRC_NAS_TRAIN_OPTIONS_H
#define SCARLET_SRC_NAS_TRAIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/command.h"
#include "scarlet/nas.h"

/* Options by name, in the order given. */
typedef struct assignments {
    struct assignment {
        char *name, *value;
    } * item;
    size_t count;
} assignments;

typedef struct train_request {
    scarlet_train_options *options;
    char *data, *output, *names, *weights; /* weights: a file; NULL: not given */
    bool check, dry_run, resume, json, quiet;
    assignments line; /* options of the library on the command line */
} train_request;

/* The command with its own options and those of the library's table. */
cli_command train_command(const cli_command *base);
void train_command_free(cli_command *command);
/* Reads the command line; with --resume first args.txt of the run's folder, then the file of
 * --config; later ones win. Ends the program with a usage error. */
void train_request_read(train_request *q, const cli_command *command, int argc, char **argv);
void train_request_free(train_request *q);
/* What an option of the library became, as args.txt and --dry-run show it. */
const char *train_option_text(const scarlet_train_options *resolved, scarlet_train_option key);
/* Writes args.txt, which --config takes too: what was asked for, with what "auto" became as
 * comments. */
void train_request_write(const train_request *q, const scarlet_train_options *resolved,
                         const char *path);

#endif
