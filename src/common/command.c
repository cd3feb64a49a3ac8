#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "message.h"
#include "scarlet/scarlet.h"
#include "status.h"
#include "suggest.h"

/* ---- usage ---- */

static _Noreturn void hint(const cli_command *command)
{
    fprintf(stderr, "Try '%s --help'.\n", command->name);
    exit(USAGE);
}

void cli_usage(const cli_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cli_message(command->name, format, args);
    va_end(args);
    hint(command);
}

int64_t cli_integer(const cli_command *command, const char *option, const char *text, int64_t min,
                    int64_t max)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text) || errno)
        cli_usage(command, "%s: \"%s\" is not an integer", option, text);
    if (value < min || value > max)
        cli_usage(command, "%s: %lld is not between %" PRId64 " and %" PRId64, option, value, min,
                  max);
    return value;
}

double cli_number(const cli_command *command, const char *option, const char *text, double min,
                  double max)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || isspace((unsigned char)*text))
        cli_usage(command, "%s: \"%s\" is not a number", option, text);
    if (!(value >= min && value <= max))
        cli_usage(command, "%s: %s is not between %g and %g", option, text, min, max);
    return value;
}

int cli_choice(const cli_command *command, const char *option, const char *word,
               const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    size_t length;
    char *known;
    FILE *out = cli_memory(&known, &length);
    for (int i = 0; words[i]; i++)
        fprintf(out, "%s%s", i ? ", " : "", words[i]);
    if (fclose(out) != 0)
        cli_out_of_memory();
    cli_usage(command, "%s: \"%s\" is not one of %s", option, word, known);
}

bool cli_has_effect(const cli_command *command, const char *name)
{
    for (const char *const *n = command->no_effect; n && *n; n++)
        if (strcmp(*n, name) == 0)
            return false;
    return true;
}

/* ---- help ---- */

/* "  -k, --top-k N       text"; further lines of text are aligned with the first. */
static void help_row(int key, const char *name, const char *argument, const char *text)
{
    enum { COLUMN = 26 };
    int used = key < 128 ? printf("  -%c, --%s", key, name) : printf("      --%s", name);
    if (argument)
        used += printf(" %s", argument);
    if (used > COLUMN - 2) {
        putchar('\n');
        used = 0;
    }
    for (const char *line = text; line;) {
        const char *end = strchr(line, '\n');
        printf("%*s%.*s\n", COLUMN - used, "", (int)(end ? end - line : (long)strlen(line)), line);
        used = 0;
        line = end ? end + 1 : NULL;
    }
}

/* A line with the names of an option's values. */
static void help_values(scarlet_option key, int64_t min, int64_t max, int column)
{
    printf("%*s", column, "");
    for (int64_t value = min; value <= max; value++) {
        const char *name = scarlet_option_value_name(key, value);
        if (name)
            printf("%s%s", value == min ? "" : ", ", name);
    }
    putchar('\n');
}

static void help_library_options(const cli_command *command)
{
    enum { COLUMN = 15 };
    const char *name, *text;
    scarlet_option key;
    int64_t min, max, dflt;
    printf("\nNames for --opt, with defaults in brackets:\n");
    for (size_t i = 0; scarlet_option_describe(i, &key, &name, &min, &max, &dflt, &text) == 0;
         i++) {
        if (!cli_has_effect(command, name))
            continue;
        const char *value = scarlet_option_value_name(key, dflt);
        printf("  %-*s%s", COLUMN - 2, name, text);
        if (value)
            printf(" [%s]", value);
        else if (dflt >= min)
            printf(" [%" PRId64 "]", dflt);
        putchar('\n');
        if (value)
            help_values(key, min, max, COLUMN);
    }
    if (cli_has_effect(command, "mean"))
        printf("  %-*s%s\n  %-*s%s\n", COLUMN - 2, "mean",
               "R,G,B, subtracted from pixels / 255 [the model file's, else ImageNet's]",
               COLUMN - 2, "std",
               "R,G,B, what the difference is divided by [the model file's, else ImageNet's]");
}

static void help(const cli_command *command)
{
    const char *lead = "Usage:";
    for (const char *line = command->synopsis; line; lead = "   or:") {
        const char *end = strchr(line, '\n');
        printf("%s %s %.*s\n", lead, command->name, (int)(end ? end - line : (long)strlen(line)),
               line);
        line = end ? end + 1 : NULL;
    }
    printf("\n%s\n\nOptions:\n", command->summary);
    for (const cli_option *o = command->options; o->key; o++)
        help_row(o->key, o->name, o->argument, o->help);
    help_row('h', "help", NULL, "print this help and exit");
    if (command->library_options)
        help_library_options(command);
    printf(
        "\n%s\n"
        "Exit status: 0 all done, 1 some input failed, 2 wrong usage, 3 the model is unusable.\n",
        command->notes);
}

/* ---- parser ---- */

/* After getopt's message about a word that may be a mistyped option. */
static void suggest_option(const cli_command *command, const char *word)
{
    enum { OPTIONS = 64 };
    const char *names[OPTIONS] = {"help"};
    size_t count = 1;
    for (const cli_option *o = command->options; o->key && count < OPTIONS; o++)
        names[count++] = o->name;
    char *typed = cli_format("%.*s", (int)strcspn(word, "="), word);
    const char *meant = strncmp(typed, "--", 2) == 0 ? suggest(typed + 2, names, count) : NULL;
    if (meant && strcmp(meant, typed + 2) != 0)
        fprintf(stderr, "Did you mean --%s?\n", meant);
    free(typed);
}

int cli_next(const cli_command *command, int argc, char **argv)
{
    size_t count = 0, n = 0, s = 0;
    while (command->options[count].key)
        count++;
    struct option *longs = cli_alloc(count + 2, sizeof *longs); /* and --help, and the end */
    char *shorts = cli_alloc(2 * count + sizeof "+h", 1);
    if (!command->run)
        shorts[s++] = '+'; /* scarlet's own options end at the command's name */
    for (const cli_option *o = command->options; o->key; o++, n++) {
        longs[n] =
            (struct option){o->name, o->argument ? required_argument : no_argument, NULL, o->key};
        if (o->key < 128) {
            shorts[s++] = (char)o->key;
            if (o->argument)
                shorts[s++] = ':';
        }
    }
    longs[n] = (struct option){"help", no_argument, NULL, 'h'};
    shorts[s] = 'h';
    char *name = cli_format("%s", command->name), *own = argv[0];
    argv[0] = name; /* getopt's messages start with it */
    int key = getopt_long(argc, argv, shorts, longs, NULL);
    argv[0] = own;
    free(name);
    free(shorts);
    free(longs);
    if (key == '?') {
        suggest_option(command, argv[optind - 1]);
        hint(command);
    }
    if (key == 'h') {
        help(command);
        exit(cli_finish(DONE));
    }
    return key;
}
