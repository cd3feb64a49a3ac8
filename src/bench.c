#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define SCARLET_EXPERIMENTAL
#include "commands.h"
#include "common/alloc.h"
#include "common/clock.h"
#include "common/json_write.h"
#include "common/message.h"
#include "common/model.h"
#include "common/progress.h"
#include "common/settings.h"
#include "common/status.h"

enum { JSON = 128, BATCH, RUNS, INPUT_SIZE, LAYERS };
enum { RUNS_DEFAULT = 50, RUNS_MAX = 1000000, LOADS = 5, WARM_UPS = 3 };

static const cli_option options[] = {
    {'m', "model", "FILE", "checkpoint or safetensors file; default: $SCARLET_MODEL"},
    {'t', "threads", "N", "threads of the network; default 1; 0: all CPUs"},
    {BATCH, "batch", "N", "pictures in one inference; default 1"},
    {RUNS, "runs", "N", "measurements of each step (at most 5 of loading); default 50"},
    {INPUT_SIZE, "input-size", "N",
     "side of the network's input; default: the model file's, else 224"},
    {LAYERS, "layers", NULL, "measure each layer too"},
    {JSON, "json", NULL, "print one JSON object"},
    {'o', "opt", "NAME=VALUE", "set a library option; may be repeated"},
    {'q', "quiet", NULL, "no progress bar"},
    {0},
};

/* ---- statistics ---- */

typedef struct summary {
    const char *name;
    size_t runs;
    double min, median, spread; /* milliseconds; spread: between the quartiles */
} summary;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

/* Sorts the samples. */
static summary summarize(const char *name, double *samples, size_t n)
{
    qsort(samples, n, sizeof *samples, ascending);
    return (summary){name, n, samples[0], quantile(samples, n, 0.5),
                     quantile(samples, n, 0.75) - quantile(samples, n, 0.25)};
}

/* ---- steps ---- */

typedef struct bench {
    const char *model_path, *picture_path, *settings;
    scarlet_options *opts; /* of the command line only */
    cli_loaded loaded;
    scarlet_image *image;
    float *input, *scores;
    size_t picture_length, scores_length, batch;
    bool quiet;
} bench;

typedef scarlet_status (*step)(bench *, scarlet_error *);

static scarlet_status step_load(bench *b, scarlet_error *err)
{
    scarlet_model *model;
    scarlet_status status = scarlet_model_load(b->model_path, b->opts, &model, err);
    scarlet_model_free(model);
    return status;
}

static scarlet_status step_session(bench *b, scarlet_error *err)
{
    scarlet_session *session;
    scarlet_status status = scarlet_session_create(b->loaded.model, b->opts, &session, err);
    scarlet_session_free(session);
    return status;
}

static scarlet_status step_decode(bench *b, scarlet_error *err)
{
    scarlet_image *image;
    scarlet_status status = scarlet_image_load(b->picture_path, b->loaded.opts, &image, err);
    scarlet_image_free(image);
    return status;
}

static scarlet_status step_preprocess(bench *b, scarlet_error *err)
{
    return scarlet_preprocess(b->image, b->loaded.opts, b->input, b->picture_length, err);
}

static scarlet_status step_infer(bench *b, scarlet_error *err)
{
    return scarlet_infer(b->loaded.session, b->input, b->batch * b->picture_length, b->batch,
                         b->scores, b->batch * b->scores_length, err);
}

/* All steps have worked once before they are measured: a failure now means lack of resources. */
static void must(scarlet_status status, const scarlet_error *err)
{
    if (status == SCARLET_OK)
        return;
    cli_error("%s", err->message);
    exit(INPUT_FAILED);
}

static summary measure(bench *b, const char *name, step run, size_t warm_ups, size_t runs)
{
    scarlet_error err;
    for (size_t i = 0; i < warm_ups; i++)
        must(run(b, &err), &err);
    double *samples = cli_alloc(runs, sizeof *samples);
    progress_start(runs, b->quiet);
    for (size_t i = 0; i < runs; i++) {
        int64_t start = now_nanos();
        must(run(b, &err), &err);
        samples[i] = (double)(now_nanos() - start) * 1e-6;
        progress_step(i + 1);
    }
    progress_hide();
    summary s = summarize(name, samples, runs);
    free(samples);
    return s;
}

/* ---- layers ---- */

typedef struct layers {
    size_t count, runs, pictures; /* pictures: started so far */
    double *samples;              /* [layer][picture], milliseconds */
} layers;

static void on_layer(void *user, size_t picture, size_t layer, const char *name,
                     const int64_t shape[3], const float *values, int64_t nanos)
{
    layers *l = user;
    (void)picture, (void)name, (void)shape, (void)values;
    l->pictures += layer == 0;
    if (layer < l->count && l->pictures <= l->runs)
        l->samples[layer * l->runs + l->pictures - 1] = (double)nanos * 1e-6;
}

/* Summaries of all layers, in order; free() them. */
static summary *measure_layers(bench *b, size_t runs)
{
    layers l = {.count = (size_t)scarlet_model_get(b->loaded.model, SCARLET_INFO_LAYERS),
                .runs = runs};
    l.samples = cli_alloc(l.count * runs, sizeof *l.samples);
    scarlet_error err;
    for (size_t i = 0; i < WARM_UPS; i++)
        must(step_infer(b, &err), &err);
    must(scarlet_session_set_trace(b->loaded.session, on_layer, &l, &err), &err);
    progress_start(runs, b->quiet);
    while (l.pictures < runs) {
        must(step_infer(b, &err), &err);
        progress_step(l.pictures < runs ? l.pictures : runs);
    }
    progress_hide();
    must(scarlet_session_set_trace(b->loaded.session, NULL, NULL, &err), &err);
    summary *rows = cli_alloc(l.count, sizeof *rows);
    for (size_t i = 0; i < l.count; i++)
        rows[i] =
            summarize(scarlet_model_layer_name(b->loaded.model, i), l.samples + i * runs, runs);
    free(l.samples);
    return rows;
}

/* ---- output ---- */

typedef struct report {
    summary steps[5];
    size_t steps_count;
    double pictures_per_second;
    summary *layers; /* NULL: not requested */
    size_t layers_count;
    double peak; /* multiply-adds a second of one thread, for comparison */
} report;

static const char *session_name(const bench *b, scarlet_option key, scarlet_info what)
{
    const char *name = scarlet_option_value_name(key, scarlet_session_get(b->loaded.session, what));
    return name ? name : "?";
}

static double total(const report *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->layers_count; i++)
        sum += r->layers[i].median;
    return sum;
}

static int64_t macs(const bench *b, size_t layer)
{
    return scarlet_session_layer_macs(b->loaded.session, layer);
}

enum { UNSEEN_NS = 1000 }; /* a shorter layer does nothing, or is computed within the one before */

static bool seen(const report *r, size_t layer)
{
    return r->layers[layer].median * 1e6 > UNSEEN_NS;
}

/* Multiply-adds done in a layer's time: its own and those of layers after it that took none. */
static double work(const bench *b, const report *r, size_t layer)
{
    double sum = (double)macs(b, layer);
    for (size_t i = layer + 1; i < r->layers_count && !seen(r, i); i++)
        sum += (double)macs(b, i);
    return sum;
}

static void print_text(const bench *b, const report *r)
{
    const scarlet_session *s = b->loaded.session;
    long long threads = scarlet_session_get(s, SCARLET_INFO_THREADS);
    printf("%s: %lld pixels, batch %zu, %lld thread%s, %s, %s, %s\n\n",
           scarlet_model_name(b->loaded.model),
           (long long)scarlet_session_get(s, SCARLET_INFO_INPUT_SIZE), b->batch, threads,
           threads == 1 ? "" : "s", session_name(b, SCARLET_OPT_PRECISION, SCARLET_INFO_PRECISION),
           session_name(b, SCARLET_OPT_ENGINE, SCARLET_INFO_ENGINE),
           session_name(b, SCARLET_OPT_ISA_MAX, SCARLET_INFO_ISA));
    printf("%-12s %8s %10s %10s %10s\n", "Step", "Runs", "Min ms", "Median ms", "Spread ms");
    for (size_t i = 0; i < r->steps_count; i++)
        printf("%-12s %8zu %10.3f %10.3f %10.3f\n", r->steps[i].name, r->steps[i].runs,
               r->steps[i].min, r->steps[i].median, r->steps[i].spread);
    printf("\n%.1f pictures a second\n", r->pictures_per_second);
    if (!r->layers)
        return;
    printf("\n%5s  %-19s %10s %10s %7s %14s %9s %6s\n", "Layer", "Name", "Median ms", "Spread ms",
           "Share", "MACs", "GMAC/s", "Peak");
    for (size_t i = 0; i < r->layers_count; i++) {
        double took = r->layers[i].median;
        printf("%5zu  %-19s %10.4f %10.4f %5.1f %% %14lld ", i, r->layers[i].name, took,
               r->layers[i].spread, 100 * took / total(r), (long long)macs(b, i));
        double rate = work(b, r, i) / took * 1e3; /* a second */
        if (seen(r, i))
            printf("%9.1f %4.0f %%\n", rate * 1e-9, 100 * rate / r->peak);
        else
            printf("%9s %6s\n", "-", "-");
    }
    printf("\nPeak: %.1f GMAC/s, reached by one thread's kernels in registers\n", r->peak * 1e-9);
}

static void json_number(json *j, const char *key, double value)
{
    json_key(j, key);
    json_float(j, (float)value);
}

static void json_summary(json *j, const summary *s)
{
    json_key(j, "name");
    json_text(j, s->name);
    json_key(j, "runs");
    json_integer(j, (int64_t)s->runs);
    json_number(j, "min_ms", s->min);
    json_number(j, "median_ms", s->median);
    json_number(j, "spread_ms", s->spread);
}

static void print_json(const bench *b, const report *r)
{
    const scarlet_session *s = b->loaded.session;
    json j = {.out = stdout};
    json_open(&j, '{');
    json_key(&j, "file");
    json_text(&j, b->model_path);
    json_key(&j, "name");
    json_text(&j, scarlet_model_name(b->loaded.model));
    json_key(&j, "input_size");
    json_integer(&j, scarlet_session_get(s, SCARLET_INFO_INPUT_SIZE));
    json_key(&j, "batch");
    json_integer(&j, (int64_t)b->batch);
    json_key(&j, "threads");
    json_integer(&j, scarlet_session_get(s, SCARLET_INFO_THREADS));
    json_key(&j, "precision");
    json_text(&j, session_name(b, SCARLET_OPT_PRECISION, SCARLET_INFO_PRECISION));
    json_key(&j, "engine");
    json_text(&j, session_name(b, SCARLET_OPT_ENGINE, SCARLET_INFO_ENGINE));
    json_key(&j, "isa");
    json_text(&j, session_name(b, SCARLET_OPT_ISA_MAX, SCARLET_INFO_ISA));
    json_key(&j, "steps");
    json_open(&j, '[');
    for (size_t i = 0; i < r->steps_count; i++) {
        json_open(&j, '{');
        json_summary(&j, &r->steps[i]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_number(&j, "pictures_per_second", r->pictures_per_second);
    if (r->layers) {
        json_number(&j, "peak_macs_per_second", r->peak);
        json_key(&j, "layers");
        json_open(&j, '[');
        for (size_t i = 0; i < r->layers_count; i++) {
            json_open(&j, '{');
            json_key(&j, "index");
            json_integer(&j, (int64_t)i);
            json_summary(&j, &r->layers[i]);
            json_number(&j, "share", r->layers[i].median / total(r));
            json_key(&j, "macs");
            json_integer(&j, macs(b, i));
            json_close(&j, '}');
        }
        json_close(&j, ']');
    }
    json_close(&j, '}');
    json_end(&j);
}

/* ---- command ---- */

/* A picture to preprocess: the one given, or noise of a camera's frame size. */
static scarlet_status open_picture(bench *b, scarlet_error *err)
{
    enum { WIDTH = 640, HEIGHT = 480 };
    static uint8_t noise[3 * WIDTH * HEIGHT];
    if (b->picture_path)
        return scarlet_image_load(b->picture_path, b->loaded.opts, &b->image, err);
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (uint8_t)(seed >> 24);
    }
    return scarlet_image_wrap(noise, WIDTH, HEIGHT, 3 * WIDTH, SCARLET_PIXELS_RGB, NULL, NULL,
                              &b->image, err);
}

/* Does everything once that will be measured. */
static void prepare(bench *b, const cli_command *command)
{
    cli_load_model(&b->loaded, command, b->model_path, b->settings);
    b->opts = cli_options(b->settings, NULL);
    const scarlet_session *s = b->loaded.session;
    size_t side = (size_t)scarlet_session_get(s, SCARLET_INFO_INPUT_SIZE);
    b->picture_length = 3 * side * side;
    b->batch = (size_t)scarlet_session_get(s, SCARLET_INFO_BATCH_MAX);
    b->scores_length = (size_t)scarlet_session_get(s, SCARLET_INFO_OUTPUT_LENGTH);
    b->scores = cli_alloc(b->batch * b->scores_length, sizeof *b->scores);
    b->input = scarlet_session_input(b->loaded.session, NULL);
    scarlet_error err;
    must(open_picture(b, &err), &err);
    must(step_preprocess(b, &err), &err);
    for (size_t i = 1; i < b->batch; i++)
        memcpy(b->input + i * b->picture_length, b->input, b->picture_length * sizeof *b->input);
}

static report measure_all(bench *b, size_t runs, bool each_layer)
{
    size_t loads = runs < LOADS ? runs : LOADS, n = 0;
    report r = {0};
    r.steps[n++] = measure(b, "load", step_load, 0, loads);
    r.steps[n++] = measure(b, "session", step_session, 0, loads);
    if (b->picture_path)
        r.steps[n++] = measure(b, "decode", step_decode, WARM_UPS, runs);
    r.steps[n++] = measure(b, "preprocess", step_preprocess, WARM_UPS, runs);
    r.steps[n++] = measure(b, "infer", step_infer, WARM_UPS, runs);
    r.steps_count = n;
    r.pictures_per_second = (double)b->batch / (r.steps[n - 1].median * 1e-3);
    if (each_layer) {
        r.layers = measure_layers(b, runs);
        r.layers_count = (size_t)scarlet_model_get(b->loaded.model, SCARLET_INFO_LAYERS);
        r.peak = (double)scarlet_session_peak(b->loaded.session);
    }
    return r;
}

static int run(const cli_command *command, int argc, char **argv)
{
    bench b = {0};
    char *settings = NULL;
    size_t runs = RUNS_DEFAULT;
    bool each_layer = false, as_json = false;
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case 'm':
            b.model_path = optarg;
            break;
        case 't':
            cli_set(&settings, command, "threads=%s", optarg);
            break;
        case BATCH:
            cli_set(&settings, command, "batch_max=%s", optarg);
            break;
        case RUNS:
            runs = (size_t)cli_integer(command, "--runs", optarg, 1, RUNS_MAX);
            break;
        case INPUT_SIZE:
            cli_set(&settings, command, "input_size=%s", optarg);
            break;
        case LAYERS:
            each_layer = true;
            break;
        case JSON:
            as_json = true;
            break;
        case 'o':
            cli_set(&settings, command, "%s", optarg);
            break;
        case 'q':
            b.quiet = true;
            break;
        }
    }
    b.model_path = cli_model_argument(command, b.model_path, argc, argv);
    if (argc - optind > 1)
        cli_usage(command, "unexpected argument \"%s\": one picture at most", argv[optind + 1]);
    b.picture_path = optind < argc ? argv[optind] : NULL;

    b.settings = settings;
    prepare(&b, command);
    report r = measure_all(&b, runs, each_layer);
    if (as_json)
        print_json(&b, &r);
    else
        print_text(&b, &r);

    free(r.layers);
    free(b.scores);
    scarlet_image_free(b.image);
    scarlet_options_free(b.opts);
    cli_unload_model(&b.loaded);
    free(settings);
    return DONE;
}

const cli_command cli_bench = {
    .name = "scarlet bench",
    .summary =
        "Measures loading, preprocessing and inference: fastest, median, and the spread between\n"
        "the quartiles. Without a picture, a frame of 640 x 480 is preprocessed.",
    .synopsis = "[--model] MODEL [OPTION]... [PICTURE]",
    .options = options,
    .library_options = true,
    .no_effect = (const char *const[]){"storage", "crop", NULL},
    .notes =
        "Examples:\n"
        "  scarlet bench --model model.safetensors\n"
        "  scarlet bench -m model.safetensors --threads 4 --batch 8 --layers cat.jpg\n",
    .run = run,
};
