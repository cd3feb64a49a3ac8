/* scarlet supernet: trains the networks of a space at once, with shared weights. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/progress.h"
#include "common/status.h"
#include "csv.h"
#include "job.h"
#include "nas.h"
#include "super_journal.h"
#include "super_page.h"

enum {
    SPACE = 128,
    TRAINING,
    LET,
    LET_START,
    LET_DECAY,
    LET_TO_ZERO,
    SHARE,
    LARGEST_FIRST,
    LARGEST_TEACHES,
    WATCH,
    NAMES,
    RESUME
};
enum { WATCH_DEFAULT = 16, WATCH_MAX = 1000, EPOCHS_MAX = 100000 };
#define CHECKPOINT_NANOS INT64_C(300000000000)

static const cli_option options[] = {
    {SPACE, "space", "default|28px|243|FILE", "space of the networks: by its name, or in a file"},
    {'O', "output", "FOLDER", "the supernet's folder, made by this command"},
    {TRAINING, "training", "fair|depths|uniform|uniform-many",
     "paths of a step; fair (default): each choice equally often;\n"
     "depths: the same, with paths of all depths; uniform: one at random;\n"
     "uniform-many: as many as fair has, at random"},
    {LET, "let", NULL, "linear transformations in the place of identities"},
    {LET_START, "let-start", "identity|orthogonal|random",
     "what transformations begin as; default identity"},
    {LET_DECAY, "let-decay", "X", "pull of a transformation to its start; default 0"},
    {LET_TO_ZERO, "let-to-zero", NULL, "pull it to zero instead"},
    {SHARE, "share", "none|kernel|width",
     "which choices of a layer share weights: none (default);\n"
     "kernel: those that differ in the kernel only; width: also in the expansion"},
    {LARGEST_FIRST, "largest-first", "EPOCHS",
     "train only the largest network in the first epochs; default 0"},
    {LARGEST_TEACHES, "largest-teaches", NULL,
     "train the largest network in each step, and the others to give what it\n"
     "gives"},
    {'o', "opt", "NAME=VALUE",
     "set an option of scarlet train, such as epochs, batch-size, lr or\n"
     "threads; may be repeated"},
    {NAMES, "names", "FILE", "names of classes that are numbers, one a line"},
    {WATCH, "watch", "N", "networks scored after each epoch (0: none); default 16"},
    {RESUME, "resume", NULL, "go on with the supernet of --output"},
    {'q', "quiet", NULL, "no progress bar, no summary"},
    {0},
};

static const char *const trainings[] = {"fair", "depths", "uniform", "uniform-many", NULL};
static const char *const shares[] = {"none", "kernel", "width", NULL};
static const char *const starts[] = {"identity", "orthogonal", "random", NULL};

typedef struct request {
    const cli_command *command;
    const char *space, *output;
    scarlet_supernet_settings settings;
    scarlet_train_options *options;
    const scarlet_group *job;
    size_t watch;
    bool anew; /* an option that only a new supernet has was given */
    bool resume, quiet;
} request;

/* ---- results.csv: a row an epoch ---- */

static const char head[] = "epoch,loss,rate,top1_mean,top1_spread,let_condition_max\n";

static void write_number(FILE *out, double value, char after)
{
    if (isfinite(value))
        fprintf(out, "%.9g", value);
    fputc(after, out);
}

/* The file is complete at any time. */
static void results_write(const super_results *r)
{
    char *temporary = cli_format("%s.new", r->path);
    FILE *out = fopen(temporary, "w");
    if (!out)
        cli_refuse_errno(temporary);
    fputs(head, out);
    for (size_t i = 0; i < r->count; i++) {
        const super_row *x = &r->row[i];
        write_number(out, x->epoch, ',');
        write_number(out, x->loss, ',');
        write_number(out, x->rate, ',');
        write_number(out, x->top1, ',');
        write_number(out, x->spread, ',');
        write_number(out, x->condition, '\n');
    }
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed || rename(temporary, r->path) != 0)
        cli_discard(temporary);
    free(temporary);
}

static void results_add(super_results *r, const super_row *x)
{
    r->row = cli_grow(r->row, r->count, sizeof *r->row);
    r->row[r->count++] = *x;
}

static double cell(const csv *table, size_t i, const char *name)
{
    size_t column = csv_column(table, name);
    return *csv_cell(table, i, column) ? csv_number(table, i, column) : NAN;
}

/* The rows of epochs that the checkpoint has finished. */
static void results_read(super_results *r, double epochs)
{
    csv table;
    csv_open(&table, r->path);
    for (size_t i = 0; i < table.rows && cell(&table, i, "epoch") <= epochs; i++)
        results_add(r, &(super_row){.epoch = cell(&table, i, "epoch"),
                                    .loss = cell(&table, i, "loss"),
                                    .rate = cell(&table, i, "rate"),
                                    .top1 = cell(&table, i, "top1_mean"),
                                    .spread = cell(&table, i, "top1_spread"),
                                    .condition = cell(&table, i, "let_condition_max")});
    csv_close(&table);
}

/* ---- watched networks ---- */

static int depth_of(const char *genotype)
{
    int depth = 0;
    for (const char *item = genotype; item; item = strchr(item, ',') ? strchr(item, ',') + 1 : NULL)
        depth += strncmp(item, "id", 2) != 0;
    return depth;
}

static super_watch choose_watched(const request *q, const scarlet_space *space)
{
    super_watch w = {cli_alloc(q->watch, sizeof *w.item), q->watch};
    for (size_t i = 0; i < w.count; i++) {
        char genotype[SCARLET_GENOTYPE_SIZE];
        scarlet_error err;
        super_must(q->command,
                   scarlet_space_sample(space, SCARLET_SAMPLING_SPREAD, 1, i, genotype, &err),
                   &err);
        w.item[i] = (super_watched){cli_format("%s", genotype), depth_of(genotype), NAN};
    }
    return w;
}

static void watch(const request *q, super_folder *s, super_watch *w, super_row *out)
{
    double sum = 0, squares = 0, n = (double)w->count;
    scarlet_score *score = cli_alloc(w->count, sizeof *score);
    for (size_t i = 0; i < w->count; i++) {
        scarlet_error err;
        if (job_makes(q->job, i))
            super_must(q->command,
                       scarlet_supernet_score(s->net, w->item[i].genotype, SCARLET_PART_VALIDATION,
                                              &score[i], &err),
                       &err);
    }
    job_share(q->job, score, w->count, sizeof *score);
    for (size_t i = 0; i < w->count; i++) {
        const double top1 = w->item[i].top1 = 100 * score[i].top1;
        sum += top1;
        squares += top1 * top1;
    }
    free(score);
    out->top1 = w->count ? sum / n : NAN;
    out->spread = w->count > 1 ? sqrt(fmax(0, (squares - sum * sum / n) / (n - 1))) : NAN;
    out->condition = NAN;
    int32_t layers = scarlet_space_get(scarlet_supernet_space(s->net), SCARLET_SPACE_LAYERS);
    for (int32_t i = 0; i < layers; i++)
        out->condition = fmax(out->condition, scarlet_supernet_condition(s->net, i));
}

/* ---- training ---- */

static void checkpoint(const request *q, const super_folder *s, super_journal *j)
{
    if (!job_leads(q->job))
        return;
    char *path = super_file(q->output, "supernet.safetensors");
    scarlet_error err;
    super_must(q->command, scarlet_supernet_write(s->net, path, &err), &err);
    free(path);
    super_journal_add(j, "checkpoint", s->net);
}

static void log_epoch(super_journal *j, const scarlet_supernet *net, const super_row *x)
{
    const struct {
        const char *name;
        double value;
    } figure[] = {{"epoch", x->epoch},        {"loss", x->loss},
                  {"rate", x->rate},          {"top1_mean", x->top1},
                  {"top1_spread", x->spread}, {"let_condition_max", x->condition}};
    super_journal_begin(j, "epoch", net);
    for (size_t i = 0; i < sizeof figure / sizeof *figure; i++) {
        json_key(&j->line, figure[i].name);
        json_double(&j->line, figure[i].value);
    }
    super_journal_end(j);
}

static void end_epoch(const request *q, super_folder *s, super_results *r, super_watch *w,
                      super_journal *j)
{
    super_row x = {.epoch = scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEP) /
                            scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEPS_PER_EPOCH),
                   .loss = scarlet_supernet_get(s->net, SCARLET_SUPERNET_LOSS),
                   .rate = scarlet_supernet_get(s->net, SCARLET_SUPERNET_RATE)};
    watch(q, s, w, &x);
    results_add(r, &x);
    if (job_leads(q->job)) {
        results_write(r); /* first: rows after the checkpoint are made again */
        log_epoch(j, s->net, &x);
    }
    checkpoint(q, s, j);
    if (q->quiet)
        return;
    progress_hide();
    printf("epoch %.0f: loss %.4f", x.epoch, x.loss);
    if (q->watch)
        printf(", one-shot top-1 %.2f %% +- %.2f", x.top1, x.spread);
    putchar('\n');
    fflush(stdout);
}

/* The folder's bytes do not depend on interruptions: the mean loss is of the epoch's last step. */
static void train(const request *q, super_folder *s, super_results *r, super_watch *w,
                  super_journal *j)
{
    const double steps = scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEPS);
    const double epoch = scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEPS_PER_EPOCH);
    int64_t written = now_nanos();
    bool stopped = false;
    interrupt_catch();
    interrupt_catch_termination();
    progress_start((size_t)steps, q->quiet);
    for (double step; (step = scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEP)) < steps;) {
        scarlet_error err;
        if ((stopped = job_any(q->job, interrupted())))
            break;
        super_must(q->command, scarlet_supernet_step(s->net, &err), &err);
        progress_step((size_t)step + 1);
        if (fmod(step + 1, epoch) == 0) {
            end_epoch(q, s, r, w, j);
            written = now_nanos();
        } else if (now_nanos() - written > CHECKPOINT_NANOS) {
            checkpoint(q, s, j);
            written = now_nanos();
        }
    }
    progress_hide();
    if (!stopped)
        return;
    checkpoint(q, s, j);
    if (job_leads(q->job))
        super_journal_add(j, "interrupt", s->net);
    if (!q->quiet)
        cli_error("interrupted; to go on: scarlet supernet --output %s --resume", q->output);
    job_interrupt(q->job);
}

/* ---- command ---- */

static void set_option(const request *q, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals)
        cli_usage(q->command, "--opt: \"%s\" is not NAME=VALUE", text);
    char *name = cli_format("%.*s", (int)(equals - text), text);
    scarlet_error err;
    if (!cli_has_effect(q->command, name))
        cli_usage(q->command, "option %s has no effect here", name);
    super_must(q->command, scarlet_train_options_set(q->options, name, equals + 1, &err), &err);
    free(name);
}

static double decay(const request *q, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0) || !isfinite(value))
        cli_usage(q->command, "--let-decay: \"%s\" is not a number of at least 0", text);
    return value;
}

static void make_folder(const request *q)
{
    if (mkdir(q->output, 0777) == 0)
        return;
    if (errno == EEXIST)
        cli_usage(q->command, "%s exists already: --resume continues it", q->output);
    cli_refuse_errno(q->output);
}

static void begin(const request *q, super_folder *s, const char *data, const char *names)
{
    scarlet_error err;
    scarlet_space *space;
    double fraction, seed;
    scarlet_train_options_get(q->options, SCARLET_TRAIN_VAL_FRACTION, &fraction, 1, NULL);
    scarlet_train_options_get(q->options, SCARLET_TRAIN_SEED, &seed, 1, NULL);
    char *full = realpath(data, NULL), *list = names ? realpath(names, NULL) : NULL;
    if (!full || (names && !list))
        cli_refuse_errno(full ? names : data);
    *s = (super_folder){.path = q->output, .source = {full, list, fraction, (int64_t)seed}};
    super_must(q->command, scarlet_space_load(q->space, &space, &err), &err);
    train_data_open(&s->data, full, list, fraction, (uint64_t)seed);
    super_must(q->command,
               scarlet_supernet_create(space, s->data.set, &q->settings, q->options, &s->net, &err),
               &err);
    scarlet_space_free(space);
    make_folder(q);
    super_source_write(&s->source, q->output);
}

/* The settings as text; free it. */
static char *describe(const scarlet_supernet *net)
{
    const scarlet_supernet_settings *s = scarlet_supernet_settings_of(net);
    char *let = s->let
                    ? cli_format("let=yes let-start=%s let-decay=%g let-to-zero=%s",
                                 starts[s->let_start], s->let_decay, s->let_to_zero ? "yes" : "no")
                    : cli_format("let=no");
    char *text = cli_format("training=%s %s share=%s largest-first=%d largest-teaches=%s",
                            trainings[s->training], let, shares[s->share], (int)s->largest_first,
                            s->largest_teaches ? "yes" : "no");
    free(let);
    return text;
}

/* The first events; of a new supernet also its first checkpoint. */
static void log_start(const request *q, const super_folder *s, super_journal *j, const char *about)
{
    super_journal_begin(j, q->resume ? "resume" : "start", s->net);
    json_key(&j->line, "settings");
    json_text(&j->line, about);
    json_key(&j->line, "space");
    json_text(&j->line, scarlet_space_text(scarlet_supernet_space(s->net)));
    json_key(&j->line, "steps");
    json_integer(&j->line, (int64_t)scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEPS));
    json_key(&j->line, "parameters");
    json_integer(&j->line, (int64_t)scarlet_supernet_get(s->net, SCARLET_SUPERNET_PARAMETERS));
    super_journal_end(j);
    if (!q->resume)
        checkpoint(q, s, j);
}

static void read_request(request *q, const char **names, int argc, char **argv)
{
    for (int key; (key = cli_next(q->command, argc, argv)) != CLI_END;) {
        q->anew |= key != 'O' && key != WATCH && key != RESUME && key != 'q';
        switch (key) {
        case SPACE:
            q->space = optarg;
            break;
        case 'O':
            q->output = optarg;
            break;
        case TRAINING:
            q->settings.training =
                (scarlet_training)cli_choice(q->command, "--training", optarg, trainings);
            break;
        case LET:
            q->settings.let = 1;
            break;
        case LET_START:
            q->settings.let_start =
                (scarlet_let_start)cli_choice(q->command, "--let-start", optarg, starts);
            break;
        case LET_DECAY:
            q->settings.let_decay = decay(q, optarg);
            break;
        case LET_TO_ZERO:
            q->settings.let_to_zero = 1;
            break;
        case SHARE:
            q->settings.share = (scarlet_share)cli_choice(q->command, "--share", optarg, shares);
            break;
        case LARGEST_FIRST:
            q->settings.largest_first =
                (int32_t)cli_integer(q->command, "--largest-first", optarg, 0, EPOCHS_MAX);
            break;
        case LARGEST_TEACHES:
            q->settings.largest_teaches = 1;
            break;
        case 'o':
            set_option(q, optarg);
            break;
        case NAMES:
            *names = optarg;
            break;
        case WATCH:
            q->watch = (size_t)cli_integer(q->command, "--watch", optarg, 0, WATCH_MAX);
            break;
        case RESUME:
            q->resume = true;
            break;
        case 'q':
            q->quiet = true;
            break;
        }
    }
    if (!q->output)
        cli_usage(q->command, "no --output");
    if (q->resume ? optind < argc || q->anew : optind + 1 != argc || !q->space)
        cli_usage(q->command, q->resume ? "--resume takes data, space and options from the folder"
                                        : "one place of pictures and --space are needed");
}

static int run(const cli_command *command, int argc, char **argv)
{
    request q = {.command = command, .options = scarlet_supernet_options(), .watch = WATCH_DEFAULT};
    const char *names = NULL;
    super_folder s;
    if (!q.options)
        cli_out_of_memory();
    q.job = job_join();
    /* Process 0 makes or opens the folder; then the others open it. */
    if (!job_leads(q.job))
        job_follow(q.job);
    read_request(&q, &names, argc, argv);
    super_results r = {.path = super_file(q.output, "results.csv")};
    if (q.resume || !job_leads(q.job))
        super_open(&s, command, q.output, &(super_options){0});
    else
        begin(&q, &s, argv[optind], names);
    char *about = describe(s.net);
    super_journal j; /* process 0's */
    if (job_leads(q.job)) {
        super_journal_open(&j, q.output);
        log_start(&q, &s, &j, about);
        job_follow(q.job);
    } else {
        q.quiet = true;
    }
    super_join(&s, command, q.job);
    if (!s.data.parts[SCARLET_PART_VALIDATION])
        q.watch = 0;
    if (q.resume && access(r.path, F_OK) == 0)
        results_read(&r, scarlet_supernet_get(s.net, SCARLET_SUPERNET_STEP) /
                             scarlet_supernet_get(s.net, SCARLET_SUPERNET_STEPS_PER_EPOCH));
    super_watch w = choose_watched(&q, scarlet_supernet_space(s.net));
    train(&q, &s, &r, &w, &j);
    super_row last;
    watch(&q, &s, &w, &last); /* again: a resumed run may have found nothing left to do */
    if (job_leads(q.job)) {
        super_page(&s, about, &r, &w);
        super_journal_add(&j, "end", s.net);
        super_journal_close(&j);
    }
    if (!q.quiet)
        printf("Next: scarlet score %s --random 100\n", q.output);

    for (size_t i = 0; i < w.count; i++)
        free(w.item[i].genotype);
    free(w.item);
    free(about);
    free(r.row);
    free(r.path);
    scarlet_train_options_free(q.options);
    super_close(&s);
    return DONE;
}

const cli_command cli_nas = {
    .name = "scarlet supernet",
    .summary =
        "Trains all networks of a space at once: weights for each choice of each layer, of which\n"
        "every step trains some paths. Its scores say which networks are worth more.",
    .synopsis = "DATA --space NAME --output FOLDER [OPTION]...\n--output FOLDER --resume",
    .options = options,
    .no_effect = (const char *const[]){"arch", "space", "initial-checkpoint", "freeze",
                                       "micro-batch", "input-size", "patience", "eval-metric",
                                       "storage", "ema-decay", "features", NULL},
    .notes =
        "Examples:\n"
        "  scarlet supernet data/ --space space.txt --output super --let --opt epochs=2\n"
        "  scarlet supernet data/ --space 28px --output super --share width --largest-first 1\n"
        "  scarlet supernet --output super --resume\n",
    .run = run,
};
