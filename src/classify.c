#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "common/alloc.h"
#include "common/class_names.h"
#include "common/interrupt.h"
#include "common/json_write.h"
#include "common/message.h"
#include "common/model.h"
#include "common/npy.h"
#include "common/number.h"
#include "common/progress.h"
#include "common/settings.h"
#include "common/status.h"
#include "pictures/feed.h"
#include "pictures/lists.h"
#include "pictures/pipeline.h"
#include "pictures/workers.h"

enum { JSON = 128, FEATURES, NPY, LABELS, LIST, AUTO_ORIENT, THRESHOLD };

static const cli_option options[] = {
    {'m', "model", "FILE", "checkpoint or safetensors file; default: $SCARLET_MODEL"},
    {'k', "top-k", "N", "print the N most probable classes; default 5"},
    {THRESHOLD, "threshold", "P",
     "say \"unsure\" where no class has at least this probability, 0 to 1"},
    {LABELS, "labels", "FILE",
     "names of classes, one a line; default: the model file's, else\n"
     "ImageNet's for a model of 1000 classes, else class numbers"},
    {FEATURES, "features", NULL, "print the vector before the classifier instead of classes"},
    {NPY, "npy", "FILE",
     "with --features: write them to FILE as a NumPy matrix, a row per picture;\n"
     "rows of pictures that failed are NaN"},
    {LIST, "files-from", "FILE",
     "classify the pictures listed in FILE, one a line (or NUL-separated);\n"
     "relative names start from FILE's folder"},
    {JSON, "json", NULL, "print one JSON object a line for each picture, failures included"},
    {AUTO_ORIENT, "auto-orient", NULL, "turn pictures by their EXIF orientation"},
    {'j', "jobs", "N", "pictures to work on at once; default: one for each usable CPU"},
    {'t', "threads", "N", "threads for each picture's network; default 1; 0: all CPUs"},
    {'o', "opt", "NAME=VALUE", "set a library option; may be repeated"},
    {'q', "quiet", NULL, "no progress bar, no summary"},
    {0},
};

typedef struct job {
    scarlet_session **sessions;  /* one per worker */
    const scarlet_options *opts; /* from the model's metadata, overridden by the command line */
    cli_names names;
    bool json, features;
    size_t k, length; /* at most so many predictions, or numbers of a vector, per picture */
    size_t input_length;
    double threshold; /* 0: none */
    npy *matrix;      /* NULL: print features */
    bool silent;      /* the matrix goes to standard output, and nothing else */
    feed feed;
    size_t done, failed, total; /* total: 0 if not known */
} job;

/* A picture in the pipeline, and its result. */
typedef struct item {
    cli_picture picture;
    scarlet_status status;
    scarlet_error err;
    size_t count; /* predictions in top, or numbers in vector */
    scarlet_prediction *top;
    float *vector;
} item;

static bool next(void *user, void *slot)
{
    job *j = user;
    item *it = slot;
    cli_picture_free(&it->picture);
    return feed_next(&j->feed, &it->picture);
}

static void work(void *user, size_t worker, void *slot)
{
    const job *j = user;
    item *it = slot;
    scarlet_session *session = j->sessions[worker];
    scarlet_image *image;
    it->status = cli_load(&it->picture, j->opts, &image, &it->err);
    if (it->status != SCARLET_OK)
        return;
    if (j->features) {
        float *input = scarlet_session_input(session, NULL);
        it->count = j->length;
        it->status = scarlet_preprocess(image, j->opts, input, j->input_length, &it->err);
        if (it->status == SCARLET_OK)
            it->status =
                scarlet_infer(session, input, j->input_length, 1, it->vector, j->length, &it->err);
    } else {
        it->status = scarlet_classify(session, image, j->opts, j->k, it->top, &it->count, &it->err);
    }
    scarlet_image_free(image);
}

static bool unsure(const job *j, const item *it)
{
    return !j->features && it->count && (double)it->top[0].score < j->threshold;
}

static void print_text(const job *j, const item *it)
{
    cli_put(stdout, it->picture.name);
    putchar('\n');
    if (unsure(j, it))
        puts("  unsure");
    for (size_t i = 0; i < it->count && !j->features && !unsure(j, it); i++) {
        const char *name = cli_name(&j->names, it->top[i].class_id);
        printf("%6.1f %%  ", 100 * (double)it->top[i].score);
        if (name)
            cli_put(stdout, name);
        else
            printf("class %d", it->top[i].class_id);
        putchar('\n');
    }
    for (size_t i = 0; i < it->count && j->features && !j->matrix; i++) {
        fputs(i ? " " : "  ", stdout);
        put_float(stdout, it->vector[i]);
    }
    if (j->features && !j->matrix)
        putchar('\n');
    fflush(stdout);
}

static void print_result(const job *j, const item *it, json *out)
{
    if (j->matrix) {
        json_key(out, "row");
        json_integer(out, (int64_t)it->picture.index);
        return;
    }
    if (j->threshold > 0) {
        json_key(out, "unsure");
        json_bool(out, unsure(j, it));
    }
    json_key(out, j->features ? "features" : "predictions");
    json_open(out, '[');
    for (size_t i = 0; i < it->count; i++) {
        if (j->features) {
            json_float(out, it->vector[i]);
            continue;
        }
        json_open(out, '{');
        json_key(out, "class");
        json_integer(out, it->top[i].class_id);
        json_key(out, "label");
        json_text(out, cli_name(&j->names, it->top[i].class_id));
        json_key(out, "probability");
        json_float(out, it->top[i].score);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void print_json(const job *j, const item *it)
{
    json out = {.out = stdout};
    json_open(&out, '{');
    json_key(&out, "file");
    json_text(&out, it->picture.name);
    if (it->status != SCARLET_OK)
        json_failure(&out, &it->err);
    else
        print_result(j, it, &out);
    json_close(&out, '}');
    json_end(&out);
}

static bool done(void *user, void *slot)
{
    job *j = user;
    const item *it = slot;
    progress_hide();
    j->failed += it->status != SCARLET_OK;
    if (j->json)
        print_json(j, it);
    else if (it->status != SCARLET_OK)
        cli_error("%s", it->err.message);
    else if (!j->silent)
        print_text(j, it);
    if (j->matrix)
        npy_row(j->matrix, it->status == SCARLET_OK ? it->vector : NULL);
    progress_step(++j->done);
    return true;
}

/* Classifies all pictures; returns the exit code. */
static int run_all(job *j, size_t workers, bool quiet)
{
    pipeline p = {.workers = workers,
                  .room = ROOM_PER_WORKER * workers,
                  .size = sizeof(item),
                  .user = j,
                  .next = next,
                  .work = work,
                  .done = done};
    item *items = p.items = cli_alloc(p.room, p.size);
    for (size_t i = 0; i < p.room; i++) {
        items[i].top = cli_alloc(j->k, sizeof *items->top);
        items[i].vector = cli_alloc(j->features ? j->length : 1, sizeof *items->vector);
    }
    progress_start(j->total, quiet);
    pipeline_run(&p);
    progress_hide();
    if (j->matrix)
        npy_close(j->matrix);
    if (!quiet)
        skipped_report(&j->feed.skipped);
    if (!quiet && interrupted() && j->total)
        cli_error("interrupted after %zu of %zu pictures, %zu failed", j->done, j->total,
                  j->failed);
    else if (!quiet && interrupted())
        cli_error("interrupted after %zu picture%s, %zu failed", j->done, j->done == 1 ? "" : "s",
                  j->failed);
    else if (!quiet && j->failed && j->done > 1)
        cli_error("%zu of %zu pictures failed", j->failed, j->done);
    if (interrupted())
        interrupt_finish();
    feed_close(&j->feed);
    for (size_t i = 0; i < p.room; i++) {
        cli_picture_free(&items[i].picture);
        free(items[i].top);
        free(items[i].vector);
    }
    free(items);
    return j->failed ? INPUT_FAILED : DONE;
}

/* Sizes of input and output for one picture. */
static void measure(job *j, const cli_loaded *loaded)
{
    int64_t output;
    scarlet_options_get(loaded->opts, SCARLET_OPT_OUTPUT, &output, NULL);
    size_t side = (size_t)scarlet_session_get(loaded->session, SCARLET_INFO_INPUT_SIZE);
    j->opts = loaded->opts;
    j->features = output == SCARLET_OUTPUT_FEATURES;
    j->input_length = 3 * side * side;
    j->length = (size_t)scarlet_session_get(loaded->session, SCARLET_INFO_OUTPUT_LENGTH);
    if (j->k > j->length)
        j->k = j->length;
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *path = NULL, *labels = NULL, *list = NULL, *matrix = NULL;
    char *settings = NULL;
    bool quiet = false, top_k = false;
    size_t jobs = 0;
    job j = {.k = 5};
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case 'm':
            path = optarg;
            break;
        case 'k':
            j.k = (size_t)cli_integer(command, "--top-k", optarg, 1, INT32_MAX);
            top_k = true;
            break;
        case THRESHOLD:
            j.threshold = cli_number(command, "--threshold", optarg, 0, 1);
            break;
        case LABELS:
            labels = optarg;
            break;
        case LIST:
            list = optarg;
            break;
        case NPY:
            matrix = optarg;
            break;
        case 'j':
            jobs = (size_t)cli_integer(command, "--jobs", optarg, 1, JOBS_MAX);
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
    path = cli_model_argument(command, path, argc, argv);
    if (optind == argc && !list)
        cli_usage(command, "no picture: name files or folders, or - for standard input");
    cli_loaded loaded;
    cli_load_model(&loaded, command, path, settings);
    measure(&j, &loaded);
    if (!j.features)
        cli_names_open(&j.names, command, loaded.model, labels);
    if (matrix && !j.features)
        cli_usage(command, "--npy needs --features");
    if (j.features && (labels || j.threshold > 0 || top_k))
        cli_usage(command, "--%s has no effect with --features",
                  labels  ? "labels"
                  : top_k ? "top-k"
                          : "threshold");
    j.silent = matrix && strcmp(matrix, "-") == 0;
    if (j.silent && j.json)
        cli_usage(command, "only one of --json and --npy can be written to standard output");

    cli_inputs inputs = {0};
    int pipes = 0;
    for (int i = optind; i < argc; i++) {
        bool pipe = strcmp(argv[i], "-") == 0;
        pipes += pipe;
        if (pipe && argc - optind + (list != NULL) > 1)
            cli_inputs_append(&inputs, "-", NULL, NO_LABEL); /* others need not wait for it */
        else
            cli_inputs_add(&inputs, argv[i]);
    }
    if (pipes > 1)
        cli_usage(command, "- is named more than once: standard input is one picture");
    if (list)
        cli_inputs_add_list(&inputs, list, NULL);
    if (!quiet)
        skipped_report(&inputs.skipped);
    j.feed.inputs = &inputs;
    j.total = inputs.archives ? 0 : inputs.count;
    size_t workers = jobs ? jobs : (size_t)scarlet_cpu_count();
    if (j.total && workers > j.total)
        workers = j.total;
    j.sessions = worker_sessions(command, loaded.model, loaded.session, settings, workers);
    if (matrix)
        j.matrix = npy_create(matrix, j.length);
    int code = run_all(&j, workers, quiet);

    cli_inputs_free(&inputs);
    worker_sessions_free(j.sessions, workers);
    scarlet_labels_free(j.names.labels);
    cli_unload_model(&loaded);
    free(settings);
    return code;
}

const cli_command cli_classify = {
    .name = "scarlet classify",
    .summary =
        "Classifies pictures (JPEG, PNG). A folder stands for all picture files below it, in byte\n"
        "order of their paths; a tar archive, plain or compressed, for the pictures in it, in its\n"
        "order; - is one picture on standard input. Results come in the order of the pictures.",
    .synopsis = "[--model] MODEL [OPTION]... FILE|FOLDER|ARCHIVE|-...",
    .options = options,
    .library_options = true,
    .no_effect = (const char *const[]){"storage", "batch_max", "layout", "crop", NULL},
    .notes =
        "Examples:\n"
        "  scarlet classify --model model.safetensors cat.jpg dog.png\n"
        "  scarlet classify -m model.safetensors --top-k 1 --json photographs/ > found.jsonl\n"
        "  scarlet classify -m model.safetensors --features --npy features.npy pictures.tar\n"
        "  wget -qO- https://example.org/cat.jpg | scarlet classify -m model.safetensors -\n",
    .run = run,
};
