#include "verify.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/interrupt.h"
#include "common/json_write.h"
#include "common/message.h"
#include "common/settings.h"
#include "common/status.h"
#include "evaluate.h"
#include "expect.h"
#include "merge.h"
#include "pictures/folders.h"
#include "pictures/kind.h"
#include "pictures/lists.h"
#include "pictures/workers.h"
#include "report.h"

enum {
    LABELS = 128,
    NAMES,
    ON_ERROR,
    JOURNAL,
    RESUME,
    SHARD,
    MERGE,
    EXPECT,
    COMPARE,
    PREDICTIONS,
    REPORT,
    JSON
};

static const cli_option options[] = {
    {'m', "model", "FILE", "checkpoint or safetensors file; default: $SCARLET_MODEL"},
    {LABELS, "labels", "FILE",
     "correct classes: \"class\" a line, in the order of the pictures or of the\n"
     "number in ILSVRC2012_val_N, or \"name class\" a line; a folder is then\n"
     "its pictures, not its classes; default: the ILSVRC2012 validation labels"},
    {NAMES, "names", "FILE",
     "names of classes, one a line; default: the model file's, else\n"
     "ImageNet's for a model of 1000 classes, else class numbers"},
    {ON_ERROR, "on-error", "ACTION",
     "stop (default) at a picture that fails, or skip it and count it"},
    {JOURNAL, "journal", "FILE", "record finished pictures in FILE, safe from kill -9"},
    {RESUME, "resume", NULL, "continue the journal, if there is one"},
    {SHARD, "shard", "I/N", "evaluate part I of N only, from 0 to N-1"},
    {MERGE, "merge", NULL, "sum the results of all shards, in files written by --json"},
    {EXPECT, "expect", "WHAT",
     "fail if off by more than 0.05 from SCARLET-A, -B or -C of the paper,\n"
     "or from TOP1:TOP5 in percent"},
    {COMPARE, "compare", "OTHER",
     "compare with another model file, or with the same one under NAME=VALUE\n"
     "as in --opt"},
    {PREDICTIONS, "predictions", "FILE",
     "write a line for each picture: CSV if FILE ends in .csv, else JSON"},
    {REPORT, "report", "FILE", "write an HTML page with figures, plots and the worst mistakes"},
    {JSON, "json", NULL, "print everything as one JSON object"},
    {'j', "jobs", "N", "pictures to work on at once; default: one for each usable CPU"},
    {'o', "opt", "NAME=VALUE", "set a library option; may be repeated"},
    {'q', "quiet", NULL, "no progress bar, no summary"},
    {0},
};

typedef struct request {
    const char *model, *labels, *names, *journal, *expect, *compare, *predictions, *report;
    char *settings;
    double figures[2];
    size_t shard, shards, jobs;
    bool skip, resume, merge, json, quiet;
    int count; /* number of data or of files to merge */
    char **data;
} request;

/* ---- options ---- */

static void parse_shard(const cli_command *command, request *q, const char *text)
{
    char rest;
    if (sscanf(text, "%zu/%zu%c", &q->shard, &q->shards, &rest) != 2 || q->shards < 1 ||
        q->shards > SHARDS_MAX || q->shard >= q->shards || strpbrk(text, "+- "))
        cli_usage(command, "--shard: \"%s\" is not I/N with I from 0 to N-1, N at most %d", text,
                  SHARDS_MAX);
}

static void parse_on_error(const cli_command *command, request *q, const char *text)
{
    q->skip = strcmp(text, "skip") == 0;
    if (!q->skip && strcmp(text, "stop") != 0)
        cli_usage(command, "--on-error: \"%s\" is neither stop nor skip", text);
}

static void parse(const cli_command *command, request *q, int argc, char **argv)
{
    *q = (request){.shards = 1};
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case 'm':
            q->model = optarg;
            break;
        case LABELS:
            q->labels = optarg;
            break;
        case NAMES:
            q->names = optarg;
            break;
        case ON_ERROR:
            parse_on_error(command, q, optarg);
            break;
        case JOURNAL:
            q->journal = optarg;
            break;
        case RESUME:
            q->resume = true;
            break;
        case SHARD:
            parse_shard(command, q, optarg);
            break;
        case MERGE:
            q->merge = true;
            break;
        case EXPECT:
            q->expect = optarg;
            expected_figures(command, optarg, q->figures);
            break;
        case COMPARE:
            q->compare = optarg;
            break;
        case PREDICTIONS:
            q->predictions = optarg;
            break;
        case REPORT:
            q->report = optarg;
            break;
        case JSON:
            q->json = true;
            break;
        case 'j':
            q->jobs = (size_t)cli_integer(command, "--jobs", optarg, 1, JOBS_MAX);
            break;
        case 'o':
            cli_set(&q->settings, command, "%s", optarg);
            break;
        case 'q':
            q->quiet = true;
            break;
        }
    }
    q->count = argc - optind;
    q->data = argv + optind;
    if (q->resume && !q->journal)
        cli_usage(command, "--resume needs --journal");
    if (!q->count)
        cli_usage(command,
                  q->merge ? "no result to merge" : "no data: name a folder, an archive or a list");
}

/* ---- data ---- */

static void add_classes(const cli_command *command, cli_inputs *inputs, const char *root,
                        size_t classes)
{
    size_t folders = cli_inputs_add_classes(inputs, root);
    if (folders > classes)
        cli_usage(command, "%s: %zu class folders, but the model has %zu classes", root, folders,
                  classes);
    if (folders < classes)
        cli_error(
            "%s: %zu class folders for a model of %zu classes; they count as classes 0 to %zu",
            root, folders, classes, folders - 1);
}

static void add_folder(const cli_command *command, const request *q, cli_inputs *inputs,
                       const char *path, size_t classes)
{
    char *valid = cli_format("%s/valid", path);
    const char *root = is_folder(valid) && has_folders(valid) ? valid : path;
    if (!q->labels && has_folders(root))
        add_classes(command, inputs, root, classes);
    else
        cli_inputs_add(inputs, root);
    free(valid);
}

static void add_data(const cli_command *command, const request *q, cli_inputs *inputs,
                     const char *path, size_t classes)
{
    switch (input_kind_of(path)) {
    case INPUT_FOLDER:
        add_folder(command, q, inputs, path, classes);
        break;
    case INPUT_ARCHIVE:
        cli_inputs_add(inputs, path);
        break;
    case INPUT_PICTURE:
        cli_usage(command, "%s: a picture, not a folder, an archive or a list", path);
    default:
        cli_inputs_add_list(inputs, path, true);
    }
}

static void open_data(const cli_command *command, const request *q, cli_inputs *inputs,
                      evaluation *e)
{
    for (int i = 0; i < q->count; i++)
        add_data(command, q, inputs, q->data[i], e->model[0].classes);
    truth_open(&e->truth, q->labels);
    if (q->labels && e->truth.lines && !inputs->archives && inputs->count &&
        e->truth.lines != inputs->count && !validation_number(inputs->item[0].path))
        cli_usage(command, "%s: %zu labels for %zu pictures", q->labels, e->truth.lines,
                  inputs->count);
    e->inputs = inputs;
}

/* ---- models ---- */

/* FNV-1a of a file's bytes and of the options set. */
static char *identity(const char *path, const char *settings)
{
    uint64_t hash = 0xCBF29CE484222325u;
    static unsigned char block[1 << 16];
    FILE *file = fopen(path, "rb");
    for (size_t n; file && (n = fread(block, 1, sizeof block, file)) > 0;)
        for (size_t i = 0; i < n; i++)
            hash = (hash ^ block[i]) * 0x100000001B3u;
    if (file)
        fclose(file);
    for (const char *s = settings; s && *s; s++)
        hash = (hash ^ (unsigned char)*s) * 0x100000001B3u;
    return cli_format("%016llx", (unsigned long long)hash);
}

static void load(const cli_command *command, contender *c, contestant *about)
{
    cli_load_model(&c->loaded, command, c->path, c->settings);
    int64_t output;
    scarlet_options_get(c->loaded.opts, SCARLET_OPT_OUTPUT, &output, NULL);
    if (output != SCARLET_OUTPUT_SCORES)
        cli_usage(command, "output=features produces no classes to verify");
    size_t side = (size_t)scarlet_session_get(c->loaded.session, SCARLET_INFO_INPUT_SIZE);
    c->input_length = 3 * side * side;
    c->classes = (size_t)scarlet_model_get(c->loaded.model, SCARLET_INFO_CLASSES);
    const char *precision = scarlet_option_value_name(
        SCARLET_OPT_PRECISION, scarlet_session_get(c->loaded.session, SCARLET_INFO_PRECISION));
    *about = (contestant){.file = cli_format("%s", c->path),
                          .name = cli_format("%s", scarlet_model_name(c->loaded.model)),
                          .precision = cli_format("%s", precision ? precision : "?"),
                          .settings = cli_format("%s", c->settings ? c->settings + 1 : ""),
                          .identity = identity(c->path, c->settings)};
}

static void load_models(const cli_command *command, const request *q, evaluation *e, result *r)
{
    contender *first = &e->model[0], *second = &e->model[1];
    e->models = q->compare ? 2 : 1;
    first->path = second->path = cli_model_path(command, q->model);
    first->settings = q->settings;
    load(command, first, &r->model);
    if (q->compare) {
        bool options_only = strchr(q->compare, '=') && access(q->compare, F_OK) != 0;
        if (q->settings)
            cli_set(&second->settings, command, "%s", q->settings + 1);
        if (options_only)
            cli_set(&second->settings, command, "%s", q->compare);
        else
            second->path = q->compare;
        load(command, second, &r->other);
        if (first->classes != second->classes)
            cli_usage(command, "--compare: %zu classes, but the first model has %zu",
                      second->classes, first->classes);
    }
    e->workers = q->jobs ? q->jobs : (size_t)scarlet_cpu_count();
    for (size_t i = 0; i < e->models; i++) {
        contender *c = &e->model[i];
        c->sessions =
            worker_sessions(command, c->loaded.model, c->loaded.session, c->settings, e->workers);
    }
}

static void unload_models(evaluation *e)
{
    for (size_t i = 0; i < e->models; i++) {
        worker_sessions_free(e->model[i].sessions, e->workers);
        cli_unload_model(&e->model[i].loaded);
        free(e->model[i].settings);
    }
}

/* ---- results ---- */

static char *join(char **items, int count)
{
    char *all = cli_format("%s", items[0]);
    for (int i = 1; i < count; i++) {
        char *longer = cli_format("%s, %s", all, items[i]);
        free(all);
        all = longer;
    }
    return all;
}

/* What a journal must be about to be continued: one line of JSON. */
static char *journal_head(const request *q, const result *r)
{
    char *text = NULL;
    size_t length;
    FILE *memory = cli_memory(&text, &length);
    json j = {.out = memory};
    json_open(&j, '{');
    json_key(&j, "journal");
    json_text(&j, "scarlet-verify-1");
    json_key(&j, "model");
    json_text(&j, r->model.identity);
    json_key(&j, "compare");
    json_text(&j, r->other.identity);
    json_key(&j, "data");
    json_text(&j, r->data);
    json_key(&j, "shard");
    json_integer(&j, (int64_t)q->shard);
    json_key(&j, "of");
    json_integer(&j, (int64_t)q->shards);
    json_close(&j, '}');
    fclose(memory);
    return text;
}

static void print(const request *q, const result *r, const cli_names *names)
{
    if (q->json)
        result_json(r, names, stdout);
    else
        result_print(r);
}

static void say_how(const request *q, const result *r)
{
    const tally *t = &r->tally;
    if (q->quiet)
        return;
    if (t->top < TOP)
        cli_error("%zu classes: top-%d becomes top-%zu", t->classes, TOP, t->top);
    if (t->failed)
        cli_error("%lld pictures failed and are not counted", (long long)t->failed);
}

static int evaluate_all(const cli_command *command, const request *q)
{
    result r = {.shards = q->shards, .origin = origin_here()};
    evaluation e = {.shard = q->shard,
                    .shards = q->shards,
                    .skip_failures = q->skip,
                    .quiet = q->quiet,
                    .result = &r};
    cli_inputs inputs = {0};
    cli_names names;
    load_models(command, q, &e, &r);
    cli_names_open(&names, command, e.model[0].loaded.model, q->names);
    open_data(command, q, &inputs, &e);
    r.data = join(q->data, q->count);
    r.shard = cli_alloc(r.shards, sizeof *r.shard);
    r.shard[q->shard] = true;
    r.workers = e.workers;
    tally_open(&r.tally, e.model[0].classes, q->compare != NULL);
    if (q->journal) {
        char *head = journal_head(q, &r);
        e.journal = journal_open(q->journal, head, q->resume);
        free(head);
    }
    if (q->predictions)
        predictions_open(&e.predictions, q->predictions, r.tally.top, r.tally.two);

    bool good = evaluate(&e);
    journal_close(e.journal);
    predictions_close(&e.predictions);
    if (interrupted() && !q->quiet)
        cli_error("interrupted after %lld pictures, %lld failed",
                  (long long)r.tally.total + (long long)r.tally.failed, (long long)r.tally.failed);
    if (good || q->json) {
        say_how(q, &r);
        print(q, &r, &names);
    }
    if (interrupted()) {
        cli_finish(DONE);
        interrupt_finish();
    }
    if (!good)
        cli_error("stopped after %lld pictures; --on-error skip continues past failures",
                  (long long)r.tally.total);
    if (good && q->report)
        report_write(q->report, &r, &names, &inputs, e.model[0].loaded.opts);
    good &= !r.tally.failed && (!q->expect || (good && result_expect(&r, q->expect, q->figures)));

    result_free(&r);
    truth_close(&e.truth);
    cli_inputs_free(&inputs);
    scarlet_labels_free(names.labels);
    unload_models(&e);
    return good ? DONE : INPUT_FAILED;
}

static int merge_all(const cli_command *command, const request *q)
{
    result r;
    cli_names names = {0};
    scarlet_error err = {0};
    size_t missing = result_merge(&r, q->data, (size_t)q->count);
    scarlet_status status = SCARLET_OK;
    if (q->names)
        status = scarlet_labels_load(q->names, &names.labels, &err);
    else if (r.tally.classes == IMAGENET_CLASSES)
        status = scarlet_labels_builtin("imagenet-1k", &names.labels, &err);
    if (status != SCARLET_OK)
        cli_usage(command, "%s", err.message);
    say_how(q, &r);
    print(q, &r, &names);
    if (q->report)
        report_write(q->report, &r, &names, NULL, NULL);
    bool good = r.complete && !missing && !r.tally.failed;
    if (q->expect)
        good &= result_expect(&r, q->expect, q->figures);
    result_free(&r);
    scarlet_labels_free(names.labels);
    free(q->settings);
    return good ? DONE : INPUT_FAILED;
}

static int run(const cli_command *command, int argc, char **argv)
{
    request q;
    parse(command, &q, argc, argv);
    return q.merge ? merge_all(command, &q) : evaluate_all(command, &q);
}

const cli_command cli_verify = {
    .name = "scarlet verify",
    .summary =
        "Measures a model's accuracy on labelled pictures, exactly as the authors' evaluation "
        "does.\n"
        "DATA is a folder of class folders (or one that contains it as valid/), a flat folder, a\n"
        "tar archive, also with KEY.cls beside KEY.jpg, or a list of \"name\" or \"name class\" "
        "lines.",
    .synopsis = "--model FILE [OPTION]... DATA...\n--merge [OPTION]... RESULT...",
    .options = options,
    .library_options = true,
    .notes =
        "Examples:\n"
        "  scarlet verify -m scarlet-a.pth.tar --expect SCARLET-A imagenet/\n"
        "  scarlet verify -m scarlet-a.pth.tar --report a.html ILSVRC2012_img_val.tar\n"
        "  scarlet verify -m model.pth --json --shard 0/2 data/ > 0.json\n"
        "  scarlet verify --merge 0.json 1.json\n",
    .run = run,
};
