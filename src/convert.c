#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "common/alloc.h"
#include "common/message.h"
#include "common/settings.h"
#include "common/status.h"
#include "common/text.h"
#include "scarlet/scarlet.h"

enum { STORAGE = 128, LABELS, INPUT_SIZE, RESIZE, MEAN, STD };

static const cli_option options[] = {
    {STORAGE, "storage", "f16|f32",
     "f32, or f16: half the size, weights are rounded; default: as in SOURCE"},
    {LABELS, "labels", "FILE", "store class names, one a line"},
    {INPUT_SIZE, "input-size", "N", "store the side of the network's input in pixels"},
    {RESIZE, "resize", "N", "store the short side of pictures before the crop in pixels"},
    {MEAN, "mean", "R,G,B", "store what is subtracted from pixels / 255; needs --std"},
    {STD, "std", "R,G,B", "store what the difference is divided by; needs --mean"},
    {0},
};

/* The target is a safetensors file: its name must not promise another format. */
static void check_ending(const cli_command *command, const char *target)
{
    static const char *const others[] = {
        ".onnx",    ".pth",       ".pt",     ".pt2", ".ckpt",   ".pkl",   ".pickle",
        ".bin",     ".tar",       ".pb",     ".h5",  ".hdf5",   ".keras", ".tflite",
        ".npz",     ".npy",       ".gguf",   ".xml", ".param",  ".zip",   ".gz",
        ".mlmodel", ".mlpackage", ".engine", ".pte", ".msgpack"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (ends_with_any_case(target, others[i]))
            cli_usage(command,
                      "%s: names ending in %s are for another format; convert writes safetensors",
                      target, others[i]);
}

static scarlet_labels *read_labels(const cli_command *command, const char *path)
{
    scarlet_labels *labels = NULL;
    scarlet_error err;
    if (path && scarlet_labels_load(path, &labels, &err) != SCARLET_OK)
        cli_usage(command, "%s", err.message);
    return labels;
}

/* A file for what goes to standard output: it is written out of order. */
static char *temporary_file(void)
{
    const char *folder = getenv("TMPDIR");
    char *path = cli_format("%s/scarlet-XXXXXX", folder && *folder ? folder : "/tmp");
    int fd = mkstemp(path);
    if (fd < 0)
        cli_refuse_errno(path);
    close(fd);
    return path;
}

static void print_file(const char *path)
{
    char block[1 << 16];
    FILE *file = fopen(path, "rb");
    if (!file)
        cli_refuse_errno(path);
    for (size_t n; (n = fread(block, 1, sizeof block, file)) > 0;)
        fwrite(block, 1, n, stdout); /* failures are found at the end */
    fclose(file);
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *labels_path = NULL;
    char *settings = NULL;
    bool mean = false, std = false;
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case STORAGE:
            cli_set(&settings, command, "storage=%s", optarg);
            break;
        case LABELS:
            labels_path = optarg;
            break;
        case INPUT_SIZE:
            cli_set(&settings, command, "input_size=%s", optarg);
            break;
        case RESIZE:
            cli_set(&settings, command, "resize=%s", optarg);
            break;
        case MEAN:
            cli_set(&settings, command, "mean=%s", optarg);
            mean = true;
            break;
        case STD:
            cli_set(&settings, command, "std=%s", optarg);
            std = true;
            break;
        }
    }
    if (mean != std)
        cli_usage(command, "--mean and --std need each other");
    if (argc - optind != 2)
        cli_usage(command, "expected two files, SOURCE and TARGET, found %d", argc - optind);
    const char *source = argv[optind], *target = argv[optind + 1];
    check_ending(command, target);

    scarlet_labels *labels = read_labels(command, labels_path);
    scarlet_options *opts = cli_options(settings, NULL);
    scarlet_error err;
    int code = DONE;
    char *part = strcmp(target, "-") == 0 ? temporary_file() : NULL;
    if (scarlet_convert(source, part ? part : target, labels, opts, &err) != SCARLET_OK) {
        scarlet_model *model;
        if (scarlet_model_load(source, NULL, &model, NULL) != SCARLET_OK)
            code = MODEL_UNUSABLE;
        else
            code = INPUT_FAILED; /* the target is at fault */
        scarlet_model_free(model);
        if (err.status == SCARLET_ERROR_ARGUMENT)
            cli_usage(command, "%s", err.message);
        cli_error("%s", err.message);
    } else if (part) {
        print_file(part);
    }
    if (part)
        unlink(part);
    free(part);
    scarlet_options_free(opts);
    scarlet_labels_free(labels);
    free(settings);
    return code;
}

const cli_command cli_convert = {
    .name = "scarlet convert",
    .summary =
        "Rewrites a checkpoint (PyTorch or safetensors) as a safetensors file that is a complete\n"
        "classifier: weights, class names, how to prepare pictures.",
    .synopsis = "[OPTION]... SOURCE TARGET",
    .options = options,
    .notes =
        "Examples:\n"
        "  scarlet convert scarlet-a.pth.tar scarlet-a.safetensors\n"
        "  scarlet convert --storage f16 --labels names.txt --input-size 64 --resize 64 \\\n"
        "      trained.pth model.safetensors\n",
    .run = run,
};
