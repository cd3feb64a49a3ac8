/* scarlet export: a network of a supernet as a model file. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/message.h"
#include "common/status.h"
#include "nas.h"
#include "super_folder.h"

enum { GENOTYPE = 128, DROP_LET, STORAGE };

static const cli_option options[] = {
    {GENOTYPE, "genotype", "TEXT", "the network, as scarlet score prints it"},
    {'O', "output", "FILE", "the safetensors file to write"},
    {DROP_LET, "drop-let", NULL,
     "leave linear transformations out instead of merging them: another function"},
    {STORAGE, "storage", "f32|f16", "type of convolution and linear weights; default f32"},
    {SUPER_DATA, "data", "PATH", "where the pictures are now; default: where they were"},
    {'t', "threads", "N", "threads; default 0: all CPUs"},
    {'q', "quiet", NULL, "say nothing"},
    {0},
};

static int run(const cli_command *command, int argc, char **argv)
{
    const char *genotype = NULL, *storage = "f32";
    bool drop = false;
    super_options shared = {0};
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case GENOTYPE:
            genotype = optarg;
            break;
        case DROP_LET:
            drop = true;
            break;
        case STORAGE:
            storage = optarg;
            break;
        default:
            super_option(&shared, command, key);
        }
    }
    if (optind + 1 != argc)
        cli_usage(command, "one folder of a supernet is needed");
    if (!genotype || !shared.output)
        cli_usage(command, "no --%s", genotype ? "output" : "genotype");
    scarlet_error err;
    scarlet_options *opts = scarlet_options_create();
    if (!opts)
        cli_out_of_memory();
    char *text = cli_format("storage=%s", storage);
    super_must(command, scarlet_options_parse(opts, text, &err), &err);
    super_folder s;
    super_open(&s, command, argv[optind], &shared);
    double difference;
    super_must(
        command,
        scarlet_supernet_export(s.net, genotype, shared.output, drop, opts, &difference, &err),
        &err);
    if (!shared.quiet) {
        cli_put(stdout, shared.output);
        printf(": logits differ from the supernet's by %.1e of the largest%s\n", difference,
               drop ? "; linear transformations were left out" : "");
    }
    super_close(&s);
    scarlet_options_free(opts);
    free(text);
    return DONE;
}

const cli_command cli_nas = {
    .name = "scarlet export",
    .summary =
        "Writes a network of a supernet as a model file of its own, with the supernet's weights,\n"
        "and proves that it computes the same.",
    .synopsis = "FOLDER --genotype TEXT --output FILE [OPTION]...",
    .options = options,
    .notes =
        "Examples:\n"
        "  scarlet export super --genotype e3k3,id,e6k5se --output child.safetensors\n"
        "  scarlet export super --genotype e3k3,id,e6k5se --output half.safetensors --storage "
        "f16\n",
    .run = run,
};
