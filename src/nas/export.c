/* scarlet export: a network of a supernet as a model file. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/message.h"
#include "common/status.h"
#include "nas.h"
#include "super_folder.h"

enum { GENOTYPE = 128, DROP_LET, STORAGE, DATA };

static const cli_option options[] = {
    {GENOTYPE, "genotype", "TEXT", "the network, as scarlet score prints it"},
    {'O', "output", "FILE", "the safetensors file to write"},
    {DROP_LET, "drop-let", NULL,
     "leave linear transformations out instead of merging them: another function"},
    {STORAGE, "storage", "TYPE", "of convolution and linear weights: f32 (default) or f16"},
    {DATA, "data", "PATH", "where the pictures are now; default: where they were"},
    {'t', "threads", "N", "threads; default 0: all CPUs"},
    {'q', "quiet", NULL, "say nothing"},
    {0},
};

static int run(const cli_command *command, int argc, char **argv)
{
    const char *genotype = NULL, *output = NULL, *data = NULL, *storage = "f32";
    uint32_t threads = 0;
    bool drop = false, quiet = false;
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case GENOTYPE:
            genotype = optarg;
            break;
        case 'O':
            output = optarg;
            break;
        case DROP_LET:
            drop = true;
            break;
        case STORAGE:
            storage = optarg;
            break;
        case DATA:
            data = optarg;
            break;
        case 't':
            threads = (uint32_t)cli_integer(command, "--threads", optarg, 0, 256);
            break;
        case 'q':
            quiet = true;
            break;
        }
    }
    if (optind + 1 != argc)
        cli_usage(command, "one folder of a supernet is needed");
    if (!genotype || !output)
        cli_usage(command, "no --%s", genotype ? "output" : "genotype");
    scarlet_error err;
    scarlet_options *opts = scarlet_options_create();
    if (!opts)
        cli_out_of_memory();
    char *text = cli_format("storage=%s", storage);
    super_must(command, scarlet_options_parse(opts, text, &err), &err);
    super_folder s;
    super_open(&s, command, argv[optind], data, threads);
    double difference;
    super_must(command,
               scarlet_supernet_export(s.net, genotype, output, drop, opts, &difference, &err),
               &err);
    if (!quiet) {
        cli_put(stdout, output);
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
