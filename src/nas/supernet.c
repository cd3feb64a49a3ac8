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
#include "curves.h"
#include "job.h"
#include "nas.h"
#include "report/html.h"
#include "report/page.h"
#include "super_folder.h"

enum { SPACE = 128, TRAINING, LET, LET_START, LET_DECAY, LET_TO_ZERO, WATCH, NAMES, RESUME };
enum { WATCH_DEFAULT = 16, WATCH_MAX = 1000, DEPTHS_MAX = 64 };
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

typedef struct row {
    double epoch, loss, rate, top1, spread, condition;
} row;

typedef struct results {
    char *path;
    row *row;
    size_t count;
} results;

static const char head[] = "epoch,loss,rate,top1_mean,top1_spread,let_condition_max\n";

static void write_number(FILE *out, double value, char after)
{
    if (isfinite(value))
        fprintf(out, "%.9g", value);
    fputc(after, out);
}

/* The file is complete at any time. */
static void results_write(const results *r)
{
    char *temporary = cli_format("%s.new", r->path);
    FILE *out = fopen(temporary, "w");
    if (!out)
        cli_refuse_errno(temporary);
    fputs(head, out);
    for (size_t i = 0; i < r->count; i++) {
        const row *x = &r->row[i];
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

static void results_add(results *r, const row *x)
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
static void results_read(results *r, double epochs)
{
    csv table;
    csv_open(&table, r->path);
    for (size_t i = 0; i < table.rows && cell(&table, i, "epoch") <= epochs; i++)
        results_add(r, &(row){.epoch = cell(&table, i, "epoch"),
                              .loss = cell(&table, i, "loss"),
                              .rate = cell(&table, i, "rate"),
                              .top1 = cell(&table, i, "top1_mean"),
                              .spread = cell(&table, i, "top1_spread"),
                              .condition = cell(&table, i, "let_condition_max")});
    csv_close(&table);
}

/* ---- watched networks ---- */

typedef struct watched {
    char *genotype;
    int depth;
    double top1;
} watched;

static int depth_of(const char *genotype)
{
    int depth = 0;
    for (const char *item = genotype; item; item = strchr(item, ',') ? strchr(item, ',') + 1 : NULL)
        depth += strncmp(item, "id", 2) != 0;
    return depth;
}

static watched *choose_watched(const request *q, const scarlet_space *space)
{
    watched *w = cli_alloc(q->watch, sizeof *w);
    for (size_t i = 0; i < q->watch; i++) {
        char genotype[SCARLET_GENOTYPE_SIZE];
        scarlet_error err;
        super_must(q->command,
                   scarlet_space_sample(space, SCARLET_SAMPLING_SPREAD, 1, i, genotype, &err),
                   &err);
        w[i] = (watched){cli_format("%s", genotype), depth_of(genotype), NAN};
    }
    return w;
}

static void watch(const request *q, super_folder *s, watched *w, row *out)
{
    double sum = 0, squares = 0, n = (double)q->watch;
    scarlet_score *score = cli_alloc(q->watch, sizeof *score);
    for (size_t i = 0; i < q->watch; i++) {
        scarlet_error err;
        if (job_makes(q->job, i))
            super_must(q->command,
                       scarlet_supernet_score(s->net, w[i].genotype, SCARLET_PART_VALIDATION,
                                              &score[i], &err),
                       &err);
    }
    job_share(q->job, score, q->watch, sizeof *score);
    for (size_t i = 0; i < q->watch; i++) {
        w[i].top1 = 100 * score[i].top1;
        sum += w[i].top1;
        squares += w[i].top1 * w[i].top1;
    }
    free(score);
    out->top1 = q->watch ? sum / n : NAN;
    out->spread = q->watch > 1 ? sqrt(fmax(0, (squares - sum * sum / n) / (n - 1))) : NAN;
    out->condition = NAN;
    int32_t layers = scarlet_space_get(scarlet_supernet_space(s->net), SCARLET_SPACE_LAYERS);
    for (int32_t i = 0; i < layers; i++)
        out->condition = fmax(out->condition, scarlet_supernet_condition(s->net, i));
}

/* ---- page ---- */

static void put_curves(FILE *out, const results *r)
{
    double *value = cli_alloc(5 * r->count, sizeof *value);
    curves plot = {.x_name = "epoch", .n = r->count, .x = value, .count = 2, .marked = r->count};
    for (size_t i = 0; i < r->count; i++) {
        value[i] = r->row[i].epoch;
        value[r->count + i] = r->row[i].loss;
        value[2 * r->count + i] = r->row[i].top1;
        value[3 * r->count + i] = r->row[i].spread;
        value[4 * r->count + i] = r->row[i].condition;
    }
    plot.title = "One-shot accuracy of the watched networks, percent";
    plot.curve[0].name = "mean";
    plot.curve[0].y = value + 2 * r->count;
    plot.curve[1].name = "standard deviation";
    plot.curve[1].y = value + 3 * r->count;
    plot_curves(out, &plot);
    plot.count = 1;
    plot.title = "Loss";
    plot.curve[0].name = "mean over the paths";
    plot.curve[0].y = value + r->count;
    plot_curves(out, &plot);
    if (r->count && isfinite(r->row[r->count - 1].condition)) {
        plot.title = "Largest condition number of a linear transformation";
        plot.curve[0].name = "condition";
        plot.curve[0].y = value + 4 * r->count;
        plot_curves(out, &plot);
    }
    free(value);
}

static void put_depths(FILE *out, const request *q, const watched *w)
{
    fputs(
        "<h2>Watched networks by depth</h2>\n<div class=\"scroll\"><table id=\"depths\"><tr>"
        "<th class=\"n\">Blocks<th class=\"n\">Networks<th class=\"n\">Mean top-1, %</tr>\n",
        out);
    for (int depth = 0; depth < DEPTHS_MAX; depth++) {
        double sum = 0;
        size_t count = 0;
        for (size_t i = 0; i < q->watch; i++)
            if (w[i].depth == depth) {
                sum += w[i].top1;
                count++;
            }
        if (count)
            fprintf(out, "<tr><td class=\"n\">%d<td class=\"n\">%zu<td class=\"n\">%.2f</tr>\n",
                    depth, count, sum / (double)count);
    }
    fputs("</table></div>\n", out);
}

static void put_counts(FILE *out, const super_folder *s)
{
    int32_t layers = scarlet_space_get(scarlet_supernet_space(s->net), SCARLET_SPACE_LAYERS);
    fputs(
        "<h2>How often each choice was trained</h2>\n<div class=\"scroll\"><table id=\"counts\">"
        "<tr><th class=\"n\">Layer<th class=\"n\">Least<th class=\"n\">Most<th "
        "class=\"n\">Condition</tr>\n",
        out);
    for (int32_t i = 0; i < layers; i++) {
        int64_t least = INT64_MAX, most = 0, count;
        for (int32_t k = 0; (count = scarlet_supernet_trained(s->net, i, k)) >= 0; k++) {
            least = count < least ? count : least;
            most = count > most ? count : most;
        }
        double condition = scarlet_supernet_condition(s->net, i);
        fprintf(out,
                "<tr><td class=\"n\">%d<td class=\"n\">%" PRId64 "<td class=\"n\">%" PRId64
                "<td class=\"n\">",
                i, least, most);
        if (isfinite(condition))
            fprintf(out, "%.1f", condition);
        fputs("</tr>\n", out);
    }
    fputs("</table></div>\n", out);
}

static void write_page(const request *q, const super_folder *s, const results *r, const watched *w)
{
    char *path = super_file(q->output, "report.html");
    FILE *out = page_open(path, "Supernet");
    page_cards_open(out);
    page_card(out, "steps", "Steps", "paths of each", "%.0f",
              scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEP));
    page_card(out, "paths", "Paths a step", "on the same batch", "%.0f",
              scarlet_supernet_get(s->net, SCARLET_SUPERNET_PATHS));
    page_card(out, "parameters", "Parameters", "of all choices", "%.0f",
              scarlet_supernet_get(s->net, SCARLET_SUPERNET_PARAMETERS));
    page_cards_close(out);
    fputs("<pre>", out);
    html_text(out,
              q->settings.let ? "linear transformations in the place of identities" : "identities");
    fputs("</pre>\n<div class=\"plots\">\n", out);
    put_curves(out, r);
    fputs("</div>\n", out);
    if (q->watch)
        put_depths(out, q, w);
    put_counts(out, s);
    page_close(out, path);
    free(path);
}

/* ---- training ---- */

static void checkpoint(const request *q, const super_folder *s)
{
    if (!job_leads(q->job))
        return;
    char *path = super_file(q->output, "supernet.safetensors");
    scarlet_error err;
    super_must(q->command, scarlet_supernet_write(s->net, path, &err), &err);
    free(path);
}

static void end_epoch(const request *q, super_folder *s, results *r, watched *w, double loss)
{
    row x = {.epoch = scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEP) /
                      scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEPS_PER_EPOCH),
             .loss = loss,
             .rate = scarlet_supernet_get(s->net, SCARLET_SUPERNET_RATE)};
    watch(q, s, w, &x);
    results_add(r, &x);
    if (job_leads(q->job))
        results_write(r); /* first: rows after the checkpoint are made again */
    checkpoint(q, s);
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
static void train(const request *q, super_folder *s, results *r, watched *w)
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
            end_epoch(q, s, r, w, scarlet_supernet_get(s->net, SCARLET_SUPERNET_LOSS));
            written = now_nanos();
        } else if (now_nanos() - written > CHECKPOINT_NANOS) {
            checkpoint(q, s);
            written = now_nanos();
        }
    }
    progress_hide();
    if (!stopped)
        return;
    checkpoint(q, s);
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
    checkpoint(q, s);
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
    results r = {.path = super_file(q.output, "results.csv")};
    if (q.resume || !job_leads(q.job))
        super_open(&s, command, q.output, &(super_options){0});
    else
        begin(&q, &s, argv[optind], names);
    if (job_leads(q.job))
        job_follow(q.job);
    else
        q.quiet = true;
    super_join(&s, command, q.job);
    if (!s.data.parts[SCARLET_PART_VALIDATION])
        q.watch = 0;
    q.settings.let = scarlet_supernet_get(s.net, SCARLET_SUPERNET_LETS) > 0;
    if (q.resume && access(r.path, F_OK) == 0)
        results_read(&r, scarlet_supernet_get(s.net, SCARLET_SUPERNET_STEP) /
                             scarlet_supernet_get(s.net, SCARLET_SUPERNET_STEPS_PER_EPOCH));
    watched *w = choose_watched(&q, scarlet_supernet_space(s.net));
    train(&q, &s, &r, w);
    row last;
    watch(&q, &s, w, &last); /* again: a resumed run may have found nothing left to do */
    if (job_leads(q.job))
        write_page(&q, &s, &r, w);
    if (!q.quiet)
        printf("Next: scarlet score %s --random 100\n", q.output);

    for (size_t i = 0; i < q.watch; i++)
        free(w[i].genotype);
    free(w);
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
        "  scarlet supernet --output super --resume\n",
    .run = run,
};
