#include "train_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/lines.h"
#include "common/message.h"
#include "pictures/kind.h"

enum { OUTPUT = 128, NAMES, CHECK, DRY_RUN, RESUME, JSON, TABLE /* and a row's index */ };

static const cli_option own[] = {
    {OUTPUT, "output", "FOLDER", "folder of the run, which must not exist yet; default run"},
    {NAMES, "names", "FILE", "names of classes that are numbers, one a line"},
    {CHECK, "check", NULL, "count pictures, find broken ones and duplicates; do not train"},
    {DRY_RUN, "dry-run", NULL, "print options, memory and expected time; do not train"},
    {RESUME, "resume", NULL, "continue the run in the folder of --output"},
    {'c', "config", "FILE", "read options from \"name = value\" lines; those given here win"},
    {JSON, "json", NULL, "print a JSON object a line for each epoch and for the result"},
    {'q', "quiet", NULL, "print errors only"},
};

enum { OWN = sizeof own / sizeof *own };

/* ---- the library's table as options of the command ---- */

static const char *letter_of(scarlet_train_option key, scarlet_train_kind kind)
{
    switch (key) {
    case SCARLET_TRAIN_INITIAL_CHECKPOINT:
    case SCARLET_TRAIN_CLASS_WEIGHTS:
        return "FILE";
    case SCARLET_TRAIN_ARCH:
        return "scarlet-a|scarlet-b|scarlet-c|GENOTYPE";
    case SCARLET_TRAIN_SPACE:
        return "SPACE";
    case SCARLET_TRAIN_TIME:
        return "HOURS";
    default:
        break;
    }
    switch (kind) {
    case SCARLET_TRAIN_KIND_CHOICE:
        return NULL;
    case SCARLET_TRAIN_KIND_INTEGER:
        return "N";
    case SCARLET_TRAIN_KIND_PAIR:
        return "LEAST,MOST";
    case SCARLET_TRAIN_KIND_TRIPLE:
        return "R,G,B";
    default:
        return "X";
    }
}

/* What an option takes: the names of its values, and a letter for others. */
static char *argument_of(scarlet_train_option key, scarlet_train_kind kind, const char *dflt)
{
    size_t length;
    char *text;
    FILE *out = cli_memory(&text, &length);
    const char *name, *letter = letter_of(key, kind), *bar = "";
    if (kind == SCARLET_TRAIN_KIND_CHOICE && strcmp(dflt, "auto") == 0) {
        fputs(dflt, out);
        bar = "|";
    }
    for (size_t i = 0; (name = scarlet_train_option_value_name(key, i)); i++, bar = "|")
        fprintf(out, "%s%s", bar, name);
    if (letter)
        fprintf(out, "%s%s", bar, letter);
    if (fclose(out) != 0)
        cli_out_of_memory();
    return text;
}

/* In lines of at most WIDTH characters, as far as blanks allow that. */
static void put_wrapped(FILE *out, const char *text)
{
    enum { WIDTH = 73 };
    size_t used = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (used && used + 1 + length > WIDTH) {
            fputc('\n', out);
            used = 0;
        }
        used += (size_t)fprintf(out, "%s%.*s", used ? " " : "", (int)length, text);
        text += length + (text[length] == ' ');
    }
}

/* The help of a row: its text and its default. */
static char *help_of(const char *dflt, const char *help)
{
    size_t length;
    char *text;
    FILE *out = cli_memory(&text, &length);
    char *line = *dflt ? cli_format("%s; default %s", help, dflt) : cli_format("%s", help);
    put_wrapped(out, line);
    free(line);
    if (fclose(out) != 0)
        cli_out_of_memory();
    return text;
}

static int short_option(scarlet_train_option key)
{
    return key == SCARLET_TRAIN_BATCH_SIZE ? 'b' : key == SCARLET_TRAIN_THREADS ? 't' : 0;
}

cli_command train_command(const cli_command *base)
{
    size_t rows = 0;
    while (scarlet_train_option_describe(rows, NULL, NULL, NULL, NULL, NULL, NULL, NULL) == 0)
        rows++;
    cli_option *options = cli_alloc(OWN + rows + 1, sizeof *options);
    memcpy(options, own, sizeof own);
    for (size_t i = 0; i < rows; i++) {
        scarlet_train_option key;
        scarlet_train_kind kind;
        const char *name, *dflt, *help;
        scarlet_train_option_describe(i, &key, &name, &kind, NULL, NULL, &dflt, &help);
        int letter = short_option(key);
        options[OWN + i] = (cli_option){letter ? letter : TABLE + (int)i, name,
                                        argument_of(key, kind, dflt), help_of(dflt, help)};
    }
    cli_command command = *base;
    command.options = options;
    return command;
}

void train_command_free(cli_command *command)
{
    for (const cli_option *o = command->options + OWN; o->key; o++) {
        free((char *)(uintptr_t)o->argument);
        free((char *)(uintptr_t)o->help);
    }
    free((cli_option *)(uintptr_t)command->options);
}

/* Name of the library's option that the parser has found; NULL: it is one of the command's. */
static const char *library_option(const cli_command *command, int key)
{
    for (const cli_option *o = command->options + OWN; o->key; o++)
        if (o->key == key)
            return o->name;
    return NULL;
}

/* ---- habits from other programs ---- */

static const struct {
    const char *name, *instead;
} habits[] = {
    {"--opt",
     "the optimizer is --optimizer adamw or sgd; scarlet's other commands set library "
     "options by --opt"},
    {"-o", "the folder is --output, the optimizer --optimizer"},
    {"--model", "the network is --arch, a model to start from --initial-checkpoint"},
    {"-m", "the network is --arch, a model to start from --initial-checkpoint"},
    {"--pretrained", "a model to start from is --initial-checkpoint FILE"},
    {"--weights", "a model to start from is --initial-checkpoint FILE"},
    {"--data", "data are an argument without an option: scarlet train photos/"},
    {"--data-path", "data are an argument without an option: scarlet train photos/"},
    {"--data-dir", "data are an argument without an option: scarlet train photos/"},
    {"--imgsz", "the side of the input is --input-size"},
    {"--img-size", "the side of the input is --input-size"},
    {"--learning-rate", "the learning rate is --lr"},
    {"--lr0", "the learning rate is --lr"},
    {"--scheduler", "the course of the learning rate is --sched"},
    {"--lr-scheduler", "the course of the learning rate is --sched"},
    {"--smoothing", "that is --label-smoothing"},
    {"--model-ema", "that is --ema on"},
    {"--model-ema-decay", "that is --ema-decay"},
    {"--workers", "threads that train also load pictures: --threads"},
    {"--jobs", "threads that train also load pictures: --threads"},
    {"-j", "threads that train also load pictures: --threads"},
    {"--device", "training runs on the CPU: --threads"},
    {"--project", "the folder of the run is --output"},
    {"--save-dir", "the folder of the run is --output"},
    {"--num-classes", "classes are those of the data"},
};

static void correct_habits(const cli_command *command, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        for (size_t k = 0; k < sizeof habits / sizeof *habits; k++) {
            size_t length = strcspn(argv[i], "=");
            if (strlen(habits[k].name) == length && memcmp(habits[k].name, argv[i], length) == 0)
                cli_usage(command, "%s: %s", habits[k].name, habits[k].instead);
        }
}

/* ---- files of options ---- */

static void set_text(char **text, const char *value)
{
    free(*text);
    *text = cli_format("%s", value);
}

/* Sets an option of the library. Weights of classes may also come from a file, which is kept. */
static scarlet_status set_option(train_request *q, const char *name, const char *value,
                                 scarlet_error *err)
{
    if (strcmp(name, "class-weights") != 0)
        return scarlet_train_options_set(q->options, name, value, err);
    bool is_file = access(value, R_OK) == 0;
    free(q->weights);
    q->weights = is_file ? cli_format("%s", value) : NULL;
    return scarlet_train_options_set(q->options, name, is_file ? "none" : value, err);
}

typedef struct reading {
    train_request *q;
    const cli_command *command;
    const char *path;
} reading;

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length && strchr(" \t", text[length - 1]))
        text[--length] = '\0';
    return text;
}

static void read_line(void *user, char *text, size_t number)
{
    const reading *r = user;
    char *name = trim(text), *equals = strchr(name, '=');
    if (*name == '#' || !*name)
        return;
    if (!equals)
        cli_usage(r->command, "%s: line %zu: not \"name = value\"", r->path, number + 1);
    *equals = '\0';
    const char *value = trim(equals + 1);
    name = trim(name);
    scarlet_error err;
    if (strcmp(name, "data") == 0)
        set_text(&r->q->data, value);
    else if (strcmp(name, "output") == 0)
        set_text(&r->q->output, value);
    else if (strcmp(name, "names") == 0)
        set_text(&r->q->names, value);
    else if (set_option(r->q, name, value, &err) != SCARLET_OK)
        cli_usage(r->command, "%s: line %zu: %s", r->path, number + 1, err.message);
}

static void read_file(train_request *q, const cli_command *command, const char *path)
{
    reading r = {q, command, path};
    read_lines(path, read_line, &r);
}

const char *train_option_text(const scarlet_train_options *resolved, scarlet_train_option key)
{
    double hours = 0;
    scarlet_train_options_get(resolved, SCARLET_TRAIN_TIME, &hours, 1, NULL);
    return key == SCARLET_TRAIN_EPOCHS && hours > 0 ? "as many as the time allows"
                                                    : scarlet_train_options_text(resolved, key);
}

void train_request_write(const train_request *q, const scarlet_train_options *resolved,
                         const char *path)
{
    char *unfinished = cli_format("%s.part", path);
    FILE *out = fopen(unfinished, "wb");
    if (!out)
        cli_refuse_errno(path);
    fprintf(out, "# scarlet train --config FILE, libscarlet %s\ndata = %s\n",
            scarlet_version_string(), q->data);
    if (q->names)
        fprintf(out, "names = %s\n", q->names);
    scarlet_train_option key;
    const char *name;
    for (size_t i = 0;
         scarlet_train_option_describe(i, &key, &name, NULL, NULL, NULL, NULL, NULL) == SCARLET_OK;
         i++) {
        const char *asked = key == SCARLET_TRAIN_CLASS_WEIGHTS && q->weights
                                ? q->weights
                                : scarlet_train_options_text(q->options, key);
        if (strcmp(asked, "auto") == 0)
            fprintf(out, "# %s: %s\n", name, train_option_text(resolved, key));
        fprintf(out, "%s = %s\n", name, asked);
    }
    bool failed = ferror(out);
    failed |= fclose(out) != 0;
    if (failed || rename(unfinished, path) != 0)
        cli_discard(unfinished);
    free(unfinished);
}

/* A name that args.txt cannot hold is refused while nothing has been done. */
static void check_line(const cli_command *command, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (length &&
        (strpbrk(text, "\r\n") || strchr(" \t", *text) || strchr(" \t", text[length - 1])))
        cli_usage(command,
                  "\"%s\": a line break, or a blank at an end, cannot be kept in args.txt: give it "
                  "another name, or a symbolic link to it",
                  text);
}

/* ---- command line ---- */

static void assign(train_request *q, const char *name, const char *value)
{
    q->line.item = cli_grow(q->line.item, q->line.count, sizeof *q->line.item);
    q->line.item[q->line.count++] =
        (struct assignment){cli_format("%s", name), cli_format("%s", value)};
}

static void apply_line(train_request *q, const cli_command *command)
{
    scarlet_error err;
    for (size_t i = 0; i < q->line.count; i++)
        if (set_option(q, q->line.item[i].name, q->line.item[i].value, &err) != SCARLET_OK)
            cli_usage(command, "%s", err.message);
}

void train_request_read(train_request *q, const cli_command *command, int argc, char **argv)
{
    char *output = NULL, *names = NULL, *config = NULL;
    *q = (train_request){.options = scarlet_train_options_create()};
    if (!q->options)
        cli_out_of_memory();
    correct_habits(command, argc, argv);
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        const char *name = library_option(command, key);
        if (name) {
            assign(q, name, optarg);
            continue;
        }
        switch (key) {
        case OUTPUT:
            set_text(&output, optarg);
            break;
        case NAMES:
            set_text(&names, optarg);
            break;
        case CHECK:
            q->check = true;
            break;
        case DRY_RUN:
            q->dry_run = true;
            break;
        case RESUME:
            q->resume = true;
            break;
        case 'c':
            set_text(&config, optarg);
            break;
        case JSON:
            q->json = true;
            break;
        case 'q':
            q->quiet = true;
            break;
        }
    }
    if (argc - optind > 1)
        cli_usage(command, "\"%s\" is too much: data are one folder, archive or list",
                  argv[optind + 1]);
    if (q->resume) {
        char *args = cli_format("%s/args.txt", output ? output : "run");
        if (access(args, F_OK) == 0)
            read_file(q, command, args);
        free(args);
    }
    if (config)
        read_file(q, command, config);
    apply_line(q, command);
    if (optind < argc)
        set_text(&q->data, argv[optind]);
    if (names)
        set_text(&q->names, names);
    if (output || !q->output)
        set_text(&q->output, output ? output : "run");
    if (!q->check && !q->dry_run) {
        check_line(command, q->data);
        check_line(command, q->names);
        check_line(command, q->weights);
    }
    if (!q->data && q->resume)
        cli_usage(command,
                  is_folder(q->output) ? "%s: no run to resume: it contains no args.txt"
                                       : "%s: no such folder to resume",
                  q->output);
    if (!q->data)
        cli_usage(command, "no data: name a folder of class folders, an archive or a list");
    free(output);
    free(names);
    free(config);
}

void train_request_free(train_request *q)
{
    for (size_t i = 0; i < q->line.count; i++) {
        free(q->line.item[i].name);
        free(q->line.item[i].value);
    }
    free(q->line.item);
    free(q->data);
    free(q->output);
    free(q->names);
    free(q->weights);
    scarlet_train_options_free(q->options);
}
