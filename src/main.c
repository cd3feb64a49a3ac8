/* scarlet: finds the subcommand and runs it. Programs libexec/scarlet/scarlet-NAME add commands. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "common/alloc.h"
#include "common/installation.h"
#include "common/message.h"
#include "common/status.h"
#include "scarlet/scarlet.h"
#include "verify/verify.h"

static const cli_command *const commands[] = {&cli_classify, &cli_verify,  &cli_prepare_val,
                                              &cli_info,     &cli_convert, &cli_bench};

static const cli_option options[] = {
    {'V', "version", NULL, "print the version and exit"},
    {'v', "verbose", NULL, "with --version: also engine, codecs and instruction sets"},
    {0},
};

static const cli_command scarlet = {
    .name = "scarlet",
    .summary =
        "Classifies pictures with SCARLET networks on the CPU.\n\n"
        "Commands:\n"
        "  classify     classify pictures\n"
        "  verify       measure accuracy on labelled pictures\n"
        "  prepare-val  arrange the ImageNet validation pictures for verify\n"
        "  info         describe a model file: network, layers, costs, metadata\n"
        "  convert      rewrite a checkpoint as a safetensors file\n"
        "  bench        measure loading, preprocessing and inference\n"
#ifdef HAVE_NAS
        "  rank         judge by true accuracies in which order a score puts networks\n"
#endif
        "\n"
        "'scarlet COMMAND --help' explains a command.",
    .synopsis = "COMMAND [OPTION]... [ARGUMENT]...\n--version [--verbose]",
    .options = options,
    .notes =
        "Examples:\n"
        "  scarlet classify --model model.safetensors cat.jpg\n"
        "  scarlet info model.safetensors\n",
};

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

int main(int argc, char **argv)
{
    bool version = false, verbose = false;
    for (int key; (key = cli_next(&scarlet, argc, argv)) != CLI_END;) {
        version |= key == 'V';
        verbose |= key == 'v';
    }
    if (version) {
        printf("scarlet %s\n", scarlet_version_string());
        if (verbose)
            printf("%s\n", scarlet_build_info());
        return cli_finish(DONE);
    }
    if (optind >= argc)
        cli_usage(&scarlet, "no command");
    argc -= optind;
    argv += optind;
    optind = 0; /* the subcommand starts over */
    /* An array of pointers: NOLINTNEXTLINE(bugprone-sizeof-expression) */
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[0], strchr(commands[i]->name, ' ') + 1) == 0)
            return cli_finish(commands[i]->run(commands[i], argc, argv));
    run_external(argv);
    cli_usage(&scarlet, "no command \"%s\"", argv[0]);
}
