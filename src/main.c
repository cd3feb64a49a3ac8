/* scarlet: finds the subcommand and runs it. Programs libexec/scarlet/scarlet-NAME add commands. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "common/alloc.h"
#include "common/descriptors.h"
#include "common/installation.h"
#include "common/message.h"
#include "common/status.h"
#include "common/suggest.h"
#include "scarlet/scarlet.h"
#include "verify/verify.h"

static const struct {
    const char *name, *summary;
    const cli_command *own; /* NULL: a program of libscarlet-nas */
} commands[] = {
    {"classify", "classify pictures", &cli_classify},
    {"verify", "measure accuracy on labelled pictures", &cli_verify},
    {"prepare-val", "arrange the ImageNet validation pictures for verify", &cli_prepare_val},
    {"info", "describe a model file: network, layers, costs, metadata", &cli_info},
    {"convert", "rewrite a checkpoint as a safetensors file", &cli_convert},
    {"bench", "measure loading, preprocessing and inference", &cli_bench},
    {"latency", "predict how long the networks of a space take on this machine", NULL},
    {"train", "train a classifier on pictures", NULL},
    {"supernet", "train all networks of a space at once", NULL},
    {"score", "score networks with a supernet's weights", NULL},
    {"rank", "judge by true accuracies in which order a score puts networks", NULL},
    {"search", "search a space for the networks that are best in several respects", NULL},
    {"export", "write a network of a supernet as a model file", NULL},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const cli_option options[] = {
    {'V', "version", NULL, "print the version and exit"},
    {'v', "verbose", NULL, "with --version: also engine, codecs and instruction sets"},
    {0},
};

/* ---- help ---- */

static bool installed(size_t i)
{
    char *path = commands[i].own ? NULL : external_command(commands[i].name);
    bool found = !path || access(path, X_OK) == 0;
    free(path);
    return found;
}

/* What scarlet does, and the commands that are there. */
static char *summary(void)
{
    char *text;
    size_t length;
    FILE *out = cli_memory(&text, &length);
    fputs("Classifies pictures with SCARLET networks on the CPU.\n\nCommands:\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        if (installed(i))
            fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fputs("  help         explain a command\n\n'scarlet help COMMAND' explains a command.", out);
    if (fclose(out) != 0)
        cli_out_of_memory();
    return text;
}

/* ---- commands ---- */

/* Replaces this program by libexec/scarlet/scarlet-NAME of its own installation, if there is one.
 */
static void run_external(char **argv)
{
    if (strchr(argv[0], '/'))
        return;
    char *path = external_command(argv[0]);
    execv(path, argv);
    free(path);
}

static int run(const cli_command *scarlet, int argc, char **argv)
{
    const char *missing = NULL;
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[0], commands[i].name) == 0) {
            if (commands[i].own)
                return commands[i].own->run(commands[i].own, argc, argv);
            missing = commands[i].name;
        }
    run_external(argv);
    if (missing)
        cli_usage(scarlet,
                  "scarlet %s comes with libscarlet-nas, which is not installed; Debian: apt "
                  "install scarlet-train, from source: meson setup -Dnas=enabled",
                  missing);
    const char *names[COMMANDS + 1] = {[COMMANDS] = "help"};
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *meant = suggest(argv[0], names, COMMANDS + 1);
    if (meant)
        cli_usage(scarlet, "no command \"%s\"; did you mean %s?", argv[0], meant);
    cli_usage(scarlet, "no command \"%s\"", argv[0]);
}

static int dispatch(const cli_command *scarlet, int argc, char **argv)
{
    bool version = false, verbose = false;
    for (int key; (key = cli_next(scarlet, argc, argv)) != CLI_END;) {
        version |= key == 'V';
        verbose |= key == 'v';
    }
    if (version) {
        printf("scarlet %s\n", scarlet_version_string());
        if (verbose)
            printf("%s\n", scarlet_build_info());
        return DONE;
    }
    if (optind >= argc) { /* somebody looks around */
        char *own[] = {argv[0], "--help", NULL};
        optind = 0;
        cli_next(scarlet, 2, own); /* does not return */
    }
    argc -= optind;
    argv += optind;
    optind = 0; /* the subcommand starts over */
    if (strcmp(argv[0], "help") == 0) {
        char *own[] = {argv[0], "--help", NULL},
             *other[] = {argc > 1 ? argv[1] : "", "--help", NULL};
        if (argc == 1 || argv[1][0] == '-' || strcmp(argv[1], argv[0]) == 0)
            cli_next(scarlet, 2, own); /* does not return */
        return run(scarlet, 2, other);
    }
    return run(scarlet, argc, argv);
}

int main(int argc, char **argv)
{
    descriptors_fill();
    char *text = summary();
    const cli_command scarlet = {
        .name = "scarlet",
        .summary = text,
        .synopsis = "COMMAND [OPTION]... [ARGUMENT]...\nhelp [COMMAND]\n--version [--verbose]",
        .options = options,
        .notes =
            "Examples:\n"
            "  scarlet classify --model model.safetensors cat.jpg\n"
            "  scarlet info model.safetensors\n",
    };
    int code = cli_finish(dispatch(&scarlet, argc, argv));
    free(text);
    return code;
}
