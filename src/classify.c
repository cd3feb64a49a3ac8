#include <getopt.h>
#include <stdlib.h>

#include "cli.h"

enum { JSON = 128, FEATURES, LABELS, AUTO_ORIENT };

static const cli_option options[] = {
    {'m', "model", "FILE", "checkpoint or safetensors file; default: $SCARLET_MODEL"},
    {'k', "top-k", "N", "print the N most probable classes; default 5"},
    {LABELS, "labels", "FILE",
     "names of classes, one a line; default: the model file's, else\n"
     "ImageNet's for a model of 1000 classes, else class numbers"},
    {FEATURES, "features", NULL, "print the vector before the classifier instead of classes"},
    {JSON, "json", NULL, "print one JSON object a line for each picture, failures too"},
    {AUTO_ORIENT, "auto-orient", NULL, "turn pictures by their EXIF orientation"},
    {'t', "threads", "N", "threads of the network; default 1; 0: all CPUs"},
    {'o', "opt", "NAME=VALUE", "set a library option; may be repeated"},
    {'q', "quiet", NULL, "no progress bar, no summary"},
    {0},
};

typedef struct job {
    scarlet_session *session;
    const scarlet_options *opts; /* of the command line, over those of the model's metadata */
    cli_names names;
    bool json, features;
    size_t k;
    scarlet_prediction *top;
    size_t count; /* predictions, or numbers in `vector` */
    float *input, *vector;
    size_t input_length;
} job;

static scarlet_status compute(job *j, const cli_input *input, scarlet_error *err)
{
    scarlet_image *image;
    scarlet_status status = cli_load(input, j->opts, &image, err);
    if (status != SCARLET_OK)
        return status;
    if (j->features) {
        status = scarlet_preprocess(image, j->opts, j->input, j->input_length, err);
        if (status == SCARLET_OK)
            status =
                scarlet_infer(j->session, j->input, j->input_length, 1, j->vector, j->count, err);
    } else {
        status = scarlet_classify(j->session, image, j->opts, j->k, j->top, &j->count, err);
    }
    scarlet_image_free(image);
    return status;
}

static void print_text(const job *j, const char *path)
{
    cli_put(stdout, path);
    putchar('\n');
    for (size_t i = 0; i < j->count && !j->features; i++) {
        const char *name = cli_name(&j->names, j->top[i].class_id);
        printf("%6.1f %%  ", 100 * (double)j->top[i].score);
        if (name)
            cli_put(stdout, name);
        else
            printf("class %d", j->top[i].class_id);
        putchar('\n');
    }
    for (size_t i = 0; i < j->count && j->features; i++)
        printf(i ? " %.9g" : "  %.9g", (double)j->vector[i]);
    if (j->features)
        putchar('\n');
    fflush(stdout);
}

static void print_result(const job *j, json *out)
{
    json_key(out, j->features ? "features" : "predictions");
    json_open(out, '[');
    for (size_t i = 0; i < j->count; i++) {
        if (j->features) {
            json_float(out, j->vector[i]);
            continue;
        }
        json_open(out, '{');
        json_key(out, "class");
        json_integer(out, j->top[i].class_id);
        json_key(out, "label");
        json_text(out, cli_name(&j->names, j->top[i].class_id));
        json_key(out, "probability");
        json_float(out, j->top[i].score);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void print_json(const job *j, const char *path, const scarlet_error *err)
{
    json out = {.out = stdout};
    json_open(&out, '{');
    json_key(&out, "file");
    json_text(&out, path);
    if (err)
        json_failure(&out, err);
    else
        print_result(j, &out);
    json_close(&out, '}');
    json_end(&out);
}

/* All pictures; the exit code. */
static int run_all(job *j, const cli_inputs *inputs, bool quiet)
{
    size_t done = 0, failed = 0;
    progress_start(inputs->count, quiet);
    interrupt_catch();
    for (; done < inputs->count && !interrupted(); done++) {
        const cli_input *input = &inputs->item[done];
        scarlet_error err;
        scarlet_status status = compute(j, input, &err);
        if (interrupted() && status != SCARLET_OK)
            break; /* reading standard input was cut short */
        progress_hide();
        failed += status != SCARLET_OK;
        if (j->json)
            print_json(j, input->path, status == SCARLET_OK ? NULL : &err);
        else if (status == SCARLET_OK)
            print_text(j, input->path);
        else
            cli_error("%s", err.message);
        progress_step(done + 1);
    }
    progress_hide();
    if (!quiet && interrupted())
        cli_error("interrupted after %zu of %zu pictures, %zu failed", done, inputs->count, failed);
    else if (!quiet && failed && done > 1)
        cli_error("%zu of %zu pictures failed", failed, done);
    if (interrupted())
        interrupt_finish();
    return failed ? INPUT_FAILED : DONE;
}

/* Where results of one picture go. */
static void open_outputs(job *j, const cli_loaded *loaded)
{
    size_t length = (size_t)scarlet_session_get(loaded->session, SCARLET_INFO_OUTPUT_LENGTH);
    int64_t output;
    scarlet_options_get(loaded->opts, SCARLET_OPT_OUTPUT, &output, NULL);
    j->session = loaded->session;
    j->opts = loaded->opts;
    j->features = output == SCARLET_OUTPUT_FEATURES;
    if (j->features) {
        j->count = length;
        j->vector = cli_alloc(length, sizeof *j->vector);
        j->input = scarlet_session_input(j->session, NULL);
        size_t side = (size_t)scarlet_session_get(j->session, SCARLET_INFO_INPUT_SIZE);
        j->input_length = 3 * side * side;
    } else {
        if (j->k > length)
            j->k = length;
        j->top = cli_alloc(j->k, sizeof *j->top);
    }
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *path = NULL, *labels = NULL;
    char *settings = NULL;
    bool quiet = false;
    job j = {.k = 5};
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case 'm':
            path = optarg;
            break;
        case 'k':
            j.k = (size_t)cli_integer(command, "--top-k", optarg, 1, INT32_MAX);
            break;
        case LABELS:
            labels = optarg;
            break;
        case FEATURES:
            cli_set(&settings, command, "output=features");
            break;
        case JSON:
            j.json = true;
            break;
        case AUTO_ORIENT:
            cli_set(&settings, command, "auto_orient=on");
            break;
        case 't':
            cli_set(&settings, command, "threads=%s", optarg);
            break;
        case 'o':
            cli_set(&settings, command, "%s", optarg);
            break;
        case 'q':
            quiet = true;
            break;
        }
    }
    path = cli_model_path(command, path);
    if (optind == argc)
        cli_usage(command, "no picture: name files or folders, or - for standard input");
    cli_loaded loaded;
    cli_load_model(&loaded, command, path, settings);
    open_outputs(&j, &loaded);
    if (!j.features)
        cli_names_open(&j.names, command, loaded.model, labels);

    cli_inputs inputs = {0};
    for (int i = optind; i < argc; i++)
        cli_inputs_add(&inputs, argv[i]);
    int code = run_all(&j, &inputs, quiet);

    cli_inputs_free(&inputs);
    free(j.top);
    free(j.vector);
    scarlet_labels_free(j.names.labels);
    cli_unload_model(&loaded);
    free(settings);
    return code;
}

const cli_command cli_classify = {
    .name = "scarlet classify",
    .summary =
        "Says what is in pictures (JPEG, PNG). A folder stands for every picture file below it,\n"
        "in byte order of the paths; - is a picture on standard input.",
    .synopsis = "--model FILE [OPTION]... FILE|FOLDER|-...",
    .options = options,
    .library_options = true,
    .notes =
        "Examples:\n"
        "  scarlet classify --model model.safetensors cat.jpg dog.png\n"
        "  scarlet classify -m model.safetensors --top-k 1 --json photographs/ > found.jsonl\n"
        "  wget -qO- https://example.org/cat.jpg | scarlet classify -m model.safetensors -\n",
    .run = run,
};
