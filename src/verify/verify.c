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
#include "pictures/member_classes.h"
#include "pictures/workers.h"
#include "report.h"

enum {
    TRUTH = 128,
    CLASS_ORDER,
    CLASS_MAP,
    LABELS,
    NAMES,
    ON_ERROR,
    JOURNAL,
    RESUME,
    SHARD,
    MERGE,
    EXPECT,
    MIN_TOP1,
    COMPARE,
    PREDICTIONS,
    REPORT,
    JSON
};

static const cli_option options[] = {
    {'m', "model", "FILE", "checkpoint or safetensors file; default: $SCARLET_MODEL"},
    {TRUTH, "truth", "FILE",
     "correct classes: \"class\" a line, in the order of the pictures or of the\n"
     "number in ILSVRC2012_val_N, or \"name class\" a line, or a CSV file; folders\n"
     "are then not classes; default: the ILSVRC2012 validation labels"},
    {CLASS_ORDER, "class-order", "auto|folders|numbers",
     "classes of folders: auto (default) by their names, folders in sorted\n"
     "order as the reference, numbers where each name is a class number"},
    {CLASS_MAP, "class-map", "FILE",
     "classes of folders: \"FOLDER CLASS\" a line, or JSON: {\"FOLDER\": CLASS}"},
    {LABELS, "labels", "FILE",
     "names of classes, one a line; default: the model file's, else\n"
     "ImageNet's for a model of 1000 classes, else class numbers"},
    {NAMES, "names", "FILE", "as --labels"},
    {ON_ERROR, "on-error", "stop|skip",
     "stop (default) at a picture that fails, or skip it and count it"},
    {JOURNAL, "journal", "FILE", "record finished pictures in FILE, safe from kill -9"},
    {RESUME, "resume", NULL, "continue the journal, if there is one"},
    {SHARD, "shard", "I/N", "evaluate part I of N only, from 0 to N-1"},
    {MERGE, "merge", NULL, "sum the results of all shards, in files written by --json"},
    {EXPECT, "expect", "SCARLET-A|SCARLET-B|SCARLET-C|TOP1:TOP5",
     "fail if off by more than 0.05 from the paper's figures, or from others,\n"
     "in percent"},
    {MIN_TOP1, "min-top1", "P", "fail if top-1 is less than this, in percent"},
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

static const char *const reactions[] = {"stop", "skip", NULL};
static const char *const class_orders[] = {
    [ORDER_AUTO] = "auto", [ORDER_FOLDERS] = "folders", [ORDER_NUMBERS] = "numbers", NULL};

typedef struct request {
    const char *model, *truth, *class_map, *labels, *journal, *expect, *compare, *predictions,
        *report;
    class_order class_order;
    char *settings;
    double figures[2], min_top1;
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

/* Standard output holds one thing. */
static void check_outputs(const cli_command *command, const request *q)
{
    const char *const paths[] = {q->json ? "-" : NULL, q->predictions, q->report};
    int users = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        users += paths[i] && strcmp(paths[i], "-") == 0;
    if (users > 1)
        cli_usage(command,
                  "only one of --json, --predictions and --report can be written to "
                  "standard output");
}

static void check_merge(const cli_command *command, const request *q)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {
        {q->model, "model"},         {q->truth, "truth"},     {q->class_order, "class-order"},
        {q->class_map, "class-map"}, {q->skip, "on-error"},   {q->journal, "journal"},
        {q->shards > 1, "shard"},    {q->compare, "compare"}, {q->predictions, "predictions"},
        {q->jobs, "jobs"},           {q->settings, "opt"}};
    for (size_t i = 0; q->merge && i < sizeof others / sizeof *others; i++)
        if (others[i].given)
            cli_usage(command, "--%s has no effect with --merge", others[i].name);
}

static void parse(const cli_command *command, request *q, int argc, char **argv)
{
    *q = (request){.shards = 1};
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case 'm':
            q->model = optarg;
            break;
        case TRUTH:
            q->truth = optarg;
            break;
        case CLASS_ORDER:
            q->class_order =
                (class_order)cli_choice(command, "--class-order", optarg, class_orders);
            break;
        case CLASS_MAP:
            q->class_map = optarg;
            break;
        case LABELS:
        case NAMES:
            q->labels = optarg;
            break;
        case ON_ERROR:
            q->skip = cli_choice(command, "--on-error", optarg, reactions) == 1;
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
        case MIN_TOP1:
            q->min_top1 = cli_number(command, "--min-top1", optarg, 0, 100);
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
    if (!q->merge)
        q->model = cli_model_argument(command, q->model, argc, argv);
    q->count = argc - optind;
    q->data = argv + optind;
    if (q->resume && !q->journal)
        cli_usage(command, "--resume needs --journal");
    if (q->class_map && (q->truth || q->class_order != ORDER_AUTO))
        cli_usage(command, "--class-map goes without --class-order and --truth");
    if (q->truth && q->class_order != ORDER_AUTO)
        cli_usage(command, "--truth goes without --class-order: folders are then not classes");
    check_outputs(command, q);
    check_merge(command, q);
    if (!q->count)
        cli_usage(command,
                  q->merge ? "no result to merge" : "no data: name a folder, an archive or a list");
}

/* ---- data ---- */

/* "1 picture", "2 pictures". */
static const char *pictures(int64_t count)
{
    static char text[32];
    snprintf(text, sizeof text, "%lld picture%s", (long long)count, count == 1 ? "" : "s");
    return text;
}

static void add_folder(const request *q, cli_inputs *inputs, const char *path, class_rules *rules)
{
    char *root = validation_folder(path);
    if (!q->truth && has_folders(root))
        cli_inputs_add_classes(inputs, root, rules);
    else
        cli_inputs_add(inputs, root);
    free(root);
}

static void add_data(const cli_command *command, const request *q, cli_inputs *inputs,
                     const char *path, class_rules *rules)
{
    switch (input_kind_of(path)) {
    case INPUT_FOLDER:
        add_folder(q, inputs, path, rules);
        break;
    case INPUT_PICTURE:
        cli_usage(command, "%s: a picture, not a folder, an archive or a list", path);
    case INPUT_FILE:
        cli_inputs_add_list(inputs, path, &rules->classes);
        break;
    default:
        cli_inputs_add(inputs, path);
    }
}

/* What cannot be read is known before the work. */
static void check_inputs(const request *q, const cli_inputs *inputs)
{
    if (!q->quiet)
        skipped_report(&inputs->skipped);
    for (size_t i = 0; i < inputs->count && !q->skip; i++)
        if (inputs->item[i].error)
            cli_refuse(inputs->item[i].path, "%s", inputs->item[i].error);
}

static void open_truth(const cli_command *command, const request *q, const cli_inputs *inputs,
                       evaluation *e, truth *known)
{
    truth_open(&e->truth, q->truth, &e->rules->classes);
    if (q->truth && e->truth.lines && !inputs->archives && inputs->count &&
        e->truth.lines != inputs->count && !validation_number(inputs->item[0].path))
        cli_usage(command, "%s: %zu labels for %s", q->truth, e->truth.lines,
                  pictures((int64_t)inputs->count));
    if (e->model[0].classes == IMAGENET_CLASSES) {
        truth_open(known, NULL, NULL);
        e->known = known;
    }
    if (q->truth)
        e->rules = NULL;
}

static void open_data(const cli_command *command, const request *q, cli_inputs *inputs,
                      evaluation *e, class_rules *rules)
{
    if (q->class_map)
        class_map_read(rules, q->class_map);
    for (int i = 0; i < q->count; i++)
        add_data(command, q, inputs, q->data[i], rules);
    check_inputs(q, inputs);
    if (!q->truth && class_order_is_sorted(rules))
        member_classes_prepare(rules, inputs);
    e->rules = rules;
    e->inputs = inputs;
}

/* ---- models ---- */

static uint64_t hash(uint64_t state, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) /* FNV-1a */
        state = (state ^ bytes[i]) * 0x100000001B3u;
    return state;
}

static uint64_t hash_file(const char *path)
{
    uint64_t state = 0xCBF29CE484222325u;
    static unsigned char block[1 << 16];
    FILE *file = fopen(path, "rb");
    for (size_t n; file && (n = fread(block, 1, sizeof block, file)) > 0;)
        state = hash(state, block, n);
    if (file)
        fclose(file);
    return state;
}

static char *hash_text(uint64_t state)
{
    return cli_format("%016llx", (unsigned long long)state);
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
    uint64_t bytes = hash_file(c->path);
    const char *settings = c->settings ? c->settings + 1 : "";
    *about = (contestant){.file = cli_format("%s", c->path),
                          .name = cli_format("%s", scarlet_model_name(c->loaded.model)),
                          .precision = cli_format("%s", precision ? precision : "?"),
                          .settings = cli_format("%s", settings),
                          .bytes = hash_text(bytes),
                          .identity = hash_text(hash(bytes, settings, strlen(settings)))};
}

static void load_models(const cli_command *command, const request *q, evaluation *e, result *r)
{
    contender *first = &e->model[0], *second = &e->model[1];
    e->models = q->compare ? 2 : 1;
    first->path = second->path = q->model;
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

static void put_text(json *j, const char *key, const char *text)
{
    json_key(j, key);
    json_text(j, text ? text : "");
}

/* What a journal must be about to be continued: one line of JSON, whose keys are for a message. */
static char *journal_head(const request *q, const result *r)
{
    char *text = NULL;
    size_t length;
    FILE *memory = cli_memory(&text, &length);
    char *shard = cli_format("%zu/%zu", q->shard, q->shards);
    json j = {.out = memory};
    json_open(&j, '{');
    put_text(&j, "journal", "scarlet-verify-1");
    put_text(&j, "model", r->model.bytes);
    put_text(&j, "options", r->model.settings);
    put_text(&j, "model to compare", r->other.bytes);
    put_text(&j, "options to compare", r->other.settings);
    put_text(&j, "data", r->data);
    put_text(&j, "truth", q->truth);
    put_text(&j, "class order", class_orders[q->class_order]);
    put_text(&j, "class map", q->class_map);
    put_text(&j, "shard", shard);
    json_close(&j, '}');
    fclose(memory);
    free(shard);
    return text;
}

/* Is standard output taken by a file of this name? */
static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static void print(const request *q, const result *r, const cli_names *names)
{
    bool taken = is_stdout(q->predictions) || is_stdout(q->report);
    if (q->json)
        result_json(r, names, stdout);
    else if (!taken || !q->quiet)
        result_print(r, !q->quiet, taken ? stderr : stdout);
}

static void say_how(const request *q, const result *r)
{
    const tally *t = &r->tally;
    if (q->quiet)
        return;
    if (t->top < TOP)
        cli_error("%zu classes: top-%d becomes top-%zu", t->classes, TOP, t->top);
    if (t->failed)
        cli_error("%lld picture%s failed and %s not counted", (long long)t->failed,
                  t->failed == 1 ? "" : "s", t->failed == 1 ? "is" : "are");
}

/* What --expect and --min-top1 ask for. */
static bool meets(const request *q, const result *r)
{
    bool good = !q->expect || result_expect(r, q->expect, q->figures);
    return result_at_least(r, q->min_top1) && good;
}

/* An older meaning of --labels: a file with anything but a name for each class is --truth. */
static void sort_out_labels(request *q, size_t classes)
{
    if (!q->labels || q->truth || labels_are_names(q->labels, classes))
        return;
    cli_error("%s: right classes, not names of classes: taken as --truth", q->labels);
    q->truth = q->labels;
    q->labels = NULL;
}

static void open_outputs(const request *q, const result *r, evaluation *e, output_file *page)
{
    if (q->journal) {
        char *head = journal_head(q, r);
        e->journal = journal_open(q->journal, head, q->resume);
        free(head);
    }
    if (q->predictions)
        predictions_open(&e->predictions, q->predictions, r->tally.top, r->tally.two);
    if (q->report)
        output_open(page, q->report);
}

static int evaluate_all(const cli_command *command, request *q)
{
    result r = {.shards = q->shards, .origin = origin_here()};
    evaluation e = {.shard = q->shard,
                    .shards = q->shards,
                    .skip_failures = q->skip,
                    .quiet = q->quiet,
                    .result = &r};
    cli_inputs inputs = {0};
    cli_names names;
    class_rules rules = {.order = q->class_order};
    truth known = {0};
    output_file page = {0};
    load_models(command, q, &e, &r);
    sort_out_labels(q, e.model[0].classes);
    cli_names_open(&names, command, e.model[0].loaded.model, q->labels);
    classes_open(&rules.classes, &names, e.model[0].classes);
    open_data(command, q, &inputs, &e, &rules);
    open_truth(command, q, &inputs, &e, &known);
    r.data = join(q->data, q->count);
    r.shard = cli_alloc(r.shards, sizeof *r.shard);
    r.shard[q->shard] = true;
    r.workers = e.workers;
    tally_open(&r.tally, e.model[0].classes, q->compare != NULL);
    open_outputs(q, &r, &e, &page);

    bool good = evaluate(&e);
    journal_close(e.journal);
    predictions_close(&e.predictions);
    if (interrupted() && !q->quiet)
        cli_error("interrupted after %s, %lld failed", pictures(r.tally.total + r.tally.failed),
                  (long long)r.tally.failed);
    if (!q->quiet)
        skipped_report(&e.feed.skipped);
    if (good || q->json) {
        say_how(q, &r);
        print(q, &r, &names);
    }
    if (interrupted() || !good)
        output_abandon(&page);
    if (interrupted()) {
        cli_finish(DONE);
        interrupt_finish();
    }
    if (!good)
        cli_error("stopped after %s; --on-error skip continues past failures",
                  pictures(r.tally.total));
    if (good && q->report)
        report_write(&page, &r, &names, &inputs, e.model[0].loaded.opts);
    good &= good && meets(q, &r) && !r.tally.failed;

    result_free(&r);
    truth_close(&e.truth);
    truth_close(&known);
    class_rules_close(&rules);
    cli_inputs_free(&inputs);
    scarlet_labels_free(names.labels);
    unload_models(&e);
    return good ? DONE : INPUT_FAILED;
}

static int merge_all(const cli_command *command, const request *q)
{
    result r;
    cli_names names = {0};
    output_file page = {0};
    scarlet_error err = {0};
    if (q->report)
        output_open(&page, q->report);
    size_t missing = result_merge(&r, q->data, (size_t)q->count);
    scarlet_status status = SCARLET_OK;
    if (q->labels)
        status = scarlet_labels_load(q->labels, &names.labels, &err);
    else if (r.names)
        names.texts = r.names;
    else if ((names.guessed = r.tally.classes == IMAGENET_CLASSES))
        status = scarlet_labels_builtin("imagenet-1k", &names.labels, &err);
    if (status != SCARLET_OK)
        cli_usage(command, "%s", err.message);
    say_how(q, &r);
    print(q, &r, &names);
    if (q->report)
        report_write(&page, &r, &names, NULL, NULL);
    bool good = r.complete && !missing && !r.tally.failed;
    good &= meets(q, &r);
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
    .synopsis = "[--model] MODEL [OPTION]... DATA...\n--merge [OPTION]... RESULT...",
    .options = options,
    .library_options = true,
    .no_effect = (const char *const[]){"storage", "batch_max", "layout", "output", "crop", NULL},
    .notes =
        "Examples:\n"
        "  scarlet verify -m scarlet-a.pth.tar --expect SCARLET-A imagenet/\n"
        "  scarlet verify -m scarlet-a.pth.tar --report a.html ILSVRC2012_img_val.tar\n"
        "  scarlet verify -m model.pth --json --shard 0/2 data/ > 0.json\n"
        "  scarlet verify --merge 0.json 1.json\n",
    .run = run,
};
