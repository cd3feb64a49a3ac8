#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "commands.h"
#include "common/alloc.h"
#include "common/json_write.h"
#include "common/message.h"
#include "common/model.h"
#include "common/settings.h"
#include "common/status.h"

enum { JSON = 128 };

static const cli_option options[] = {
    {JSON, "json", NULL, "print one JSON object"},
    {'o', "opt", "NAME=VALUE", "set a library option; may be repeated"},
    {0},
};

static const char *const file_kinds[] = {
    [SCARLET_FILE_LEGACY] = "pytorch-legacy",
    [SCARLET_FILE_ZIP] = "pytorch-zip",
    [SCARLET_FILE_SAFETENSORS] = "safetensors",
};
static const char *const layer_kinds[] = {
    [SCARLET_LAYER_STEM] = "stem",   [SCARLET_LAYER_SEPARABLE] = "separable",
    [SCARLET_LAYER_BLOCK] = "block", [SCARLET_LAYER_IDENTITY] = "identity",
    [SCARLET_LAYER_TAIL] = "tail",   [SCARLET_LAYER_CLASSIFIER] = "classifier",
};

#define NAME_IN(table, i) ((size_t)(i) < sizeof(table) / sizeof *(table) ? (table)[i] : NULL)

static const char *precision(int64_t value)
{
    const char *name = scarlet_option_value_name(SCARLET_OPT_PRECISION, value);
    return name ? name : "?";
}

/* ---- text ---- */

/* 6073684 as "6,073,684" in `room`, at least 27 bytes. */
static const char *grouped(int64_t value, char *room)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRId64, value);
    char *out = room;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0 && digits[i - 1] != '-')
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return room;
}

static void field(const char *name, const char *value)
{
    printf("%-15s", name);
    cli_put(stdout, value);
    putchar('\n');
}

static void number(const char *name, int64_t value, const char *unit)
{
    char room[32];
    printf("%-15s%s%s\n", name, grouped(value, room), unit);
}

static void print_metadata(const scarlet_model *model)
{
    enum { SHOWN = 60 }; /* characters; --json prints all */
    const char *key;
    for (size_t i = 0; (key = scarlet_model_metadata_key(model, i)); i++) {
        const char *value = scarlet_model_metadata(model, key);
        printf("%s", i ? "  " : "\nMetadata\n  ");
        cli_put(stdout, key);
        fputs(" = ", stdout);
        size_t end = 0;
        for (size_t shown = 0; value[end] && shown < SHOWN; shown++)
            do
                end++;
            while (((unsigned char)value[end] & 0xC0) == 0x80);
        char *start = cli_format("%.*s", (int)end, value);
        cli_put(stdout, start);
        free(start);
        puts(value[end] ? "..." : "");
    }
}

static void print_layers(const scarlet_model *model)
{
    printf("\n%5s  %-19s  %-10s  %4s  %5s  %6s  %6s  %6s  %4s  %8s  %12s  %10s  %s\n", "Layer",
           "Name", "Kind", "In", "Out", "Kernel", "Stride", "Expand", "SE", "Residual", "MACs",
           "Parameters", "Precision");
    int64_t layers = scarlet_model_get(model, SCARLET_INFO_LAYERS);
    for (size_t i = 0; i < (size_t)layers; i++) {
        char macs[32], parameters[32];
#define GET(what) scarlet_model_layer_get(model, i, SCARLET_INFO_##what)
        const char *kind = NAME_IN(layer_kinds, GET(KIND));
        printf("%5zu  %-19s  %-10s  %4" PRId64 "  %5" PRId64 "  %6" PRId64 "  %6" PRId64
               "  %6" PRId64 "  %4" PRId64 "  %8s  %12s  %10s  %s\n",
               i, scarlet_model_layer_name(model, i), kind ? kind : "?", GET(CHANNELS_IN),
               GET(CHANNELS_OUT), GET(KERNEL), GET(STRIDE), GET(EXPANSION), GET(SE),
               GET(RESIDUAL) == 1 ? "yes" : "no", grouped(GET(MACS), macs),
               grouped(GET(PARAMETERS), parameters), precision(GET(PRECISION)));
    }
}

static void print_text(const scarlet_model *model, const char *path)
{
    const char *kind = NAME_IN(file_kinds, scarlet_model_get(model, SCARLET_INFO_FILE_KIND));
    field("File", path);
    field("File kind", kind ? kind : "?");
    const char *key = scarlet_model_weights_key(model);
    if (key)
        field("Weights", *key ? key : "the whole file");
    field("Network", scarlet_model_name(model));
    field("Genotype", scarlet_model_genotype(model));
    number("Classes", scarlet_model_get(model, SCARLET_INFO_CLASSES), "");
    number("Features", scarlet_model_get(model, SCARLET_INFO_FEATURES), "");
    number("Input size", scarlet_model_get(model, SCARLET_INFO_INPUT_SIZE), " pixels");
    number("Total stride", scarlet_model_get(model, SCARLET_INFO_TOTAL_STRIDE), "");
    number("Parameters", scarlet_model_get(model, SCARLET_INFO_PARAMETERS), "");
    number("Multiply-adds", scarlet_model_get(model, SCARLET_INFO_MACS), "");
    field("Precision", precision(scarlet_model_get(model, SCARLET_INFO_PRECISION)));
    number("Memory", scarlet_model_get(model, SCARLET_INFO_BYTES), " bytes");
    print_metadata(model);
    print_layers(model);
}

/* ---- JSON ---- */

static void text_pair(json *out, const char *key, const char *value)
{
    json_key(out, key);
    json_text(out, value);
}

static void integer_pair(json *out, const char *key, int64_t value)
{
    json_key(out, key);
    json_integer(out, value);
}

static void json_layer(json *out, const scarlet_model *model, size_t i)
{
    json_open(out, '{');
    integer_pair(out, "index", (int64_t)i);
    text_pair(out, "name", scarlet_model_layer_name(model, i));
    text_pair(out, "kind", NAME_IN(layer_kinds, GET(KIND)));
    integer_pair(out, "in", GET(CHANNELS_IN));
    integer_pair(out, "out", GET(CHANNELS_OUT));
    integer_pair(out, "kernel", GET(KERNEL));
    integer_pair(out, "stride", GET(STRIDE));
    integer_pair(out, "expansion", GET(EXPANSION));
    integer_pair(out, "se", GET(SE));
    json_key(out, "residual");
    json_bool(out, GET(RESIDUAL) == 1);
    integer_pair(out, "macs", GET(MACS));
    integer_pair(out, "parameters", GET(PARAMETERS));
    text_pair(out, "precision", precision(GET(PRECISION)));
    json_close(out, '}');
}
#undef GET

static void json_model(json *out, const scarlet_model *model)
{
#define GET(what) scarlet_model_get(model, SCARLET_INFO_##what)
    text_pair(out, "kind", NAME_IN(file_kinds, GET(FILE_KIND)));
    text_pair(out, "weights_key", scarlet_model_weights_key(model));
    text_pair(out, "name", scarlet_model_name(model));
    text_pair(out, "genotype", scarlet_model_genotype(model));
    integer_pair(out, "classes", GET(CLASSES));
    integer_pair(out, "features", GET(FEATURES));
    integer_pair(out, "input_size", GET(INPUT_SIZE));
    integer_pair(out, "total_stride", GET(TOTAL_STRIDE));
    integer_pair(out, "parameters", GET(PARAMETERS));
    integer_pair(out, "macs", GET(MACS));
    text_pair(out, "precision", precision(GET(PRECISION)));
    integer_pair(out, "bytes", GET(BYTES));
    json_key(out, "metadata");
    json_open(out, '{');
    const char *key;
    for (size_t i = 0; (key = scarlet_model_metadata_key(model, i)); i++)
        text_pair(out, key, scarlet_model_metadata(model, key));
    json_close(out, '}');
    json_key(out, "layers");
    json_open(out, '[');
    for (size_t i = 0; i < (size_t)GET(LAYERS); i++)
        json_layer(out, model, i);
    json_close(out, ']');
#undef GET
}

static int run(const cli_command *command, int argc, char **argv)
{
    bool as_json = false;
    char *settings = NULL;
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        if (key == JSON)
            as_json = true;
        else
            cli_set(&settings, command, "%s", optarg);
    }
    if (argc - optind > 1)
        cli_usage(command, "unexpected argument \"%s\": one model at a time", argv[optind + 1]);
    const char *path = cli_model_path(command, optind < argc ? argv[optind] : NULL);
    scarlet_model *model;
    scarlet_error err;
    scarlet_options *opts = cli_options(settings, NULL);
    bool failed = scarlet_model_load(path, opts, &model, &err) != SCARLET_OK;
    scarlet_options_free(opts);
    free(settings);
    if (failed && !as_json)
        cli_model_failed(command, &err);
    if (!as_json) {
        print_text(model, path);
    } else {
        json out = {.out = stdout};
        json_open(&out, '{');
        text_pair(&out, "file", path);
        if (failed)
            json_failure(&out, &err);
        else
            json_model(&out, model);
        json_close(&out, '}');
        json_end(&out);
    }
    scarlet_model_free(model);
    return failed ? MODEL_UNUSABLE : DONE;
}

const cli_command cli_info = {
    .name = "scarlet info",
    .summary =
        "Describes a model file: network, classes, costs, metadata, and each layer.\n"
        "MODEL defaults to $SCARLET_MODEL.",
    .synopsis = "[OPTION]... MODEL",
    .options = options,
    .library_options = true,
    .no_effect =
        (const char *const[]){"storage", "max_memory", "threads", "batch_max", "input_size",
                              "layout", "output", "max_pixels", "auto_orient", "crop", "resize",
                              "filter", "decode", "mean", "std", NULL},
    .notes =
        "Examples:\n"
        "  scarlet info model.safetensors\n"
        "  scarlet info --opt precision=int8 model.safetensors\n"
        "  scarlet info --json scarlet-a.pth.tar\n",
    .run = run,
};
