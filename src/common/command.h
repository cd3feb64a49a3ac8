/* A subcommand: its options, its help, its usage errors. */
#ifndef SCARLET_SRC_COMMON_COMMAND_H
#define SCARLET_SRC_COMMON_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

/* One option, for the parser and --help. A key below 128 is also the short option. */
typedef struct cli_option {
    int key;
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;     /* may contain line breaks */
} cli_option;

typedef struct cli_command {
    const char *name; /* "scarlet classify" */
    const char *summary;
    const char *synopsis;         /* what follows the name; a line break starts another form */
    const cli_option *options;    /* ends with key 0; --help is added to each */
    bool library_options;         /* --help lists the names for --opt */
    const char *const *no_effect; /* those that are refused, ending with NULL; NULL: none */
    const char *notes;            /* the end of --help: examples */
    int (*run)(const struct cli_command *, int argc, char **argv);
} cli_command;

enum { CLI_END = -1 };
/* Key of the next option (its argument in optarg), CLI_END after the last: arguments are then at
 * argv[optind]. Prints help or a usage error itself and exits. */
int cli_next(const cli_command *command, int argc, char **argv);
/* Has a library option, by its name, an effect on the command? */
bool cli_has_effect(const cli_command *command, const char *name);
/* "NAME: text", then a line that points to --help; exits with USAGE. */
__attribute__((format(printf, 2, 3), noreturn)) void cli_usage(const cli_command *command,
                                                               const char *format, ...);
/* A number in min..max, or a usage error that names the option. */
double cli_number(const cli_command *command, const char *option, const char *text, double min,
                  double max);
/* Index of a word in a list that ends with NULL, or a usage error that names the option. */
int cli_choice(const cli_command *command, const char *option, const char *word,
               const char *const *words);
/* A decimal integer in min..max, or a usage error that names the option. */
int64_t cli_integer(const cli_command *command, const char *option, const char *text, int64_t min,
                    int64_t max);

#endif
