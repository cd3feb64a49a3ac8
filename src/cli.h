/* What the subcommands share. Everything here stands on the public header alone. */
#ifndef SCARLET_SRC_CLI_H
#define SCARLET_SRC_CLI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "scarlet/scarlet.h"

enum { DONE = 0, INPUT_FAILED = 1, USAGE = 2, MODEL_UNUSABLE = 3 };
enum { JOBS_MAX = 1024, IMAGENET_CLASSES = 1000 };

/* ---- command.c: options, help, messages ---- */

/* One option: drives the parser and --help. A key below 128 is also the short option. */
typedef struct cli_option {
    int key;
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *help;     /* may hold line breaks */
} cli_option;

typedef struct cli_command {
    const char *name; /* "scarlet classify" */
    const char *summary;
    const char *synopsis;      /* what follows the name; a line break starts another form */
    const cli_option *options; /* ends with key 0; --help is added to each */
    bool library_options;      /* --help lists the names for --opt */
    const char *notes;         /* --help ends with them: examples */
    int (*run)(const struct cli_command *, int argc, char **argv);
} cli_command;

extern const cli_command cli_classify, cli_verify, cli_prepare_val, cli_info, cli_convert,
    cli_bench;

enum { CLI_END = -1 };
/* Key of the next option (its argument in optarg), CLI_END after the last: arguments are then at
 * argv[optind]. Prints help or a usage error by itself and exits. */
int cli_next(const cli_command *command, int argc, char **argv);
/* "NAME: text", then one line that points to --help; exits with USAGE. */
__attribute__((format(printf, 2, 3), noreturn)) void cli_usage(const cli_command *command,
                                                               const char *format, ...);
/* "scarlet: text" to stderr, control characters shown as '?'. */
__attribute__((format(printf, 1, 2))) void cli_error(const char *format, ...);
/* Says "path: ..." as an error and ends the program: an input file cannot be used. */
__attribute__((noreturn, format(printf, 2, 3))) void cli_refuse(const char *path,
                                                                const char *format, ...);
/* The same with the text of errno. */
__attribute__((noreturn)) void cli_refuse_errno(const char *path);
/* The same for an output file that cannot be finished; it is removed. */
__attribute__((noreturn)) void cli_discard(const char *path);
/* A decimal integer in min..max, or a usage error that names the option. */
int64_t cli_integer(const cli_command *command, const char *option, const char *text, int64_t min,
                    int64_t max);
/* Prints text with control characters shown as '?': a file's name cannot write to the terminal. */
void cli_put(FILE *out, const char *text);
/* Flushes standard output; the exit code, made INPUT_FAILED if what was printed got lost. */
int cli_finish(int code);
/* A message and the end of the program. */
__attribute__((noreturn)) void cli_out_of_memory(void);
/* Memory, or that. */
__attribute__((returns_nonnull)) void *cli_alloc(size_t count, size_t size);
/* open_memstream, likewise. */
__attribute__((returns_nonnull)) FILE *cli_memory(char **text, size_t *length);
/* Makes room for one more element in an array of `count`, NULL at first; returns the array. */
__attribute__((returns_nonnull)) void *cli_grow(void *array, size_t count, size_t size);
__attribute__((returns_nonnull, format(printf, 1, 2))) char *cli_format(const char *format, ...);
__attribute__((returns_nonnull, format(printf, 1, 0))) char *cli_vformat(const char *format,
                                                                         va_list args);

/* ---- model.c: library options from the command line; models and names of classes ---- */

/* Adds one or more "name=value", printed by format, to *settings: text for scarlet_options_parse
 * (NULL: none so far; free it). A wrong one is a usage error. It is kept as text because it is
 * needed twice: to load the model, and over what the model's metadata asks for. */
__attribute__((format(printf, 3, 4))) void cli_set(char **settings, const cli_command *command,
                                                   const char *format, ...);
/* Puts settings into `base`, or into new options if it is NULL; returns them. */
scarlet_options *cli_options(const char *settings, scarlet_options *base);

/* `path`, else $SCARLET_MODEL, else a usage error. */
const char *cli_model_path(const cli_command *command, const char *path);

/* A model ready to run. opts: the settings, and below them what the model's metadata asks for; its
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

/* Where names of classes come from: a file, the model, compiled in, or nowhere. */
typedef struct cli_names {
    const scarlet_model *model;
    scarlet_labels *labels;
} cli_names;

/* file: of --labels, or NULL. A file that is unusable or of another length is a usage error. */
void cli_names_open(cli_names *names, const cli_command *command, const scarlet_model *model,
                    const char *file);
/* NULL if the class has no name. */
const char *cli_name(const cli_names *names, int32_t class_id);

/* ---- json.c ---- */

/* Writes JSON; puts commas where they belong. Start with {.out = file}. */
typedef struct json {
    FILE *out;
    bool comma;
} json;

void json_open(json *j, char bracket);  /* '{' or '[' */
void json_close(json *j, char bracket); /* '}' or ']' */
void json_key(json *j, const char *key);
/* Bytes that are not UTF-8 become lone surrogates \udc80 .. \udcff, as Python's surrogateescape
 * reads them. NULL: null. */
void json_text(json *j, const char *text);
void json_integer(json *j, int64_t value);
void json_bool(json *j, bool value);
/* The shortest decimals that read back as the same float; null if it is not finite. */
void json_float(json *j, float value);
/* The shortest decimals that read back as the same double. */
void json_double(json *j, double value);
/* Length of the well-formed UTF-8 sequence at s, 1 for ASCII; 0 if it is none. */
size_t utf8_length(const unsigned char *s);
/* The keys "error" and "status". */
void json_failure(json *j, const scarlet_error *err);
void json_end(json *j); /* end of the line; flushes */

/* ---- progress.c: a bar on a terminal, the clock, Ctrl-C ---- */

/* total = 0: not known. */
void progress_start(size_t total, bool quiet);
void progress_step(size_t done);
/* Takes the bar away; before anything else is printed, and at the end. */
void progress_hide(void);
int64_t now_nanos(void);
/* From now on Ctrl-C only sets a flag; a second one ends the program at once. */
void interrupt_catch(void);
bool interrupted(void);
/* Ends as the signal would have ended the program. */
void interrupt_finish(void);

#endif
