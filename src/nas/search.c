/* scarlet search: networks of a space that are best in several respects. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cells.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/progress.h"
#include "common/status.h"
#include "csv.h"
#include "job.h"
#include "nas.h"
#include "search_journal.h"
#include "search_page.h"
#include "search_volume.h"
#include "super_folder.h"

enum {
    OBJECTIVES = 128,
    LATENCY,
    MAX_LATENCY,
    MAX_MACS,
    MAX_PARAMETERS,
    ALGORITHM,
    POPULATION,
    GENERATIONS,
    REINFORCED,
    SEED,
    TABLE,
    SPACE,
    RESUME,
    MEASURE,
    COMPARE
};

static const cli_option options[] = {
    {'O', "output", "FOLDER", "the search's folder, made by this command"},
    {OBJECTIVES, "objectives", "cross_entropy|top1|latency|macs|parameters",
     "up to 4 of them, joined by commas; default cross_entropy,macs"},
    {LATENCY, "latency", "FILE", "table of scarlet latency, for the objective and the constraint"},
    {MAX_LATENCY, "max-latency", "MS", "largest latency, milliseconds"},
    {MAX_MACS, "max-macs", "N", "most multiply-adds"},
    {MAX_PARAMETERS, "max-params", "N", "most parameters"},
    {ALGORITHM, "algorithm", "nsga2|random|local|aging", "how to search; default nsga2"},
    {POPULATION, "population", "N", "networks of a generation; default 64"},
    {GENERATIONS, "generations", "N", "number of generations; default 20"},
    {REINFORCED, "reinforced", NULL, "mutations learn which choices make better networks"},
    {SEED, "seed", "N", "number that all random choices follow from; default 1"},
    {TABLE, "table", "FILE", "take scores from a table instead of a supernet; with --space"},
    {SPACE, "space", "default|28px|243|FILE", "space of the table's networks"},
    {SUPER_DATA, "data", "PATH", "where the pictures are now; default: where they were"},
    {MEASURE, "measure", NULL, "time the networks of the front on this machine"},
    {COMPARE, "compare", "FOLDER",
     "show the hypervolume of another search beside, such as one at random"},
    {RESUME, "resume", NULL, "go on with the search in the folder"},
    {'t', "threads", "N", "threads; default 0: all CPUs"},
    {'q', "quiet", NULL, "no progress bar, no summary"},
    {0},
};

static const char *const algorithms[] = {"nsga2", "random", "local", "aging", NULL};

typedef struct request {
    const cli_command *command;
    super_options shared;
    const char *latency_file, *table_file, *space_name, *super, *compare;
    scarlet_search_settings settings;
    figure_name objective[SCARLET_OBJECTIVES_MAX];
    double most[FIGURES]; /* constraints; infinite: none */
    int generations;
    const scarlet_group *job;
    bool resume, measure;
} request;

/* Everything that the objective function uses. */
typedef struct study {
    request *q;
    super_folder folder;
    scarlet_space *own_space; /* with --table */
    const scarlet_space *space;
    scarlet_latency *latency;
    csv table;
    search_journal *journal; /* process 0's */
    scarlet_search *search;
    candidate *candidate; /* all evaluated, in order, and those at hand */
    size_t count, evaluated, done;
} study;

/* ---- objectives ---- */

static void must(const study *s, scarlet_status status, const scarlet_error *err)
{
    super_must(s->q->command, status, err);
}

/* Fills in what a supernet or a table says. */
static scarlet_status score(study *s, candidate *c, scarlet_error *err)
{
    if (!s->q->table_file) {
        scarlet_score found;
        scarlet_status status = scarlet_supernet_score(s->folder.net, c->genotype,
                                                       SCARLET_PART_VALIDATION, &found, err);
        c->figure[CROSS_ENTROPY] = found.cross_entropy;
        c->figure[TOP1] = found.top1;
        c->statistics = found.statistics;
        return status;
    }
    const size_t key = csv_column(&s->table, "genotype");
    for (size_t i = 0; i < s->table.rows; i++)
        if (strcmp(csv_cell(&s->table, i, key), c->genotype) == 0) {
            for (int k = CROSS_ENTROPY; k <= TOP1; k++)
                if (csv_has(&s->table, figure_names[k]))
                    c->figure[k] = csv_number(&s->table, i, csv_column(&s->table, figure_names[k]));
            return SCARLET_OK;
        }
    cli_refuse(s->q->table_file, "no row for \"%.100s\"", c->genotype);
}

/* Fills in what follows from the genotype. */
static scarlet_status cost(const study *s, candidate *c, scarlet_error *err)
{
    int64_t macs, parameters, nanos;
    scarlet_status status = scarlet_space_costs(s->space, c->genotype, &macs, &parameters, err);
    if (status != SCARLET_OK)
        return status;
    c->figure[MACS] = (double)macs;
    c->figure[PARAMETERS] = (double)parameters;
    c->figure[LATENCY_MS] = NAN;
    if (s->latency) {
        status = scarlet_latency_predict(s->latency, c->genotype, &nanos, err);
        c->figure[LATENCY_MS] = (double)nanos * 1e-6;
    }
    return status;
}

/* Sets the objectives, all to be made small, and how far the constraints are violated. */
static void judge(const request *q, const candidate *c, double *objectives, double *violation)
{
    for (int i = 0; i < q->settings.objectives; i++) {
        const figure_name name = q->objective[i];
        objectives[i] = name == TOP1 ? -c->figure[name] : c->figure[name];
    }
    *violation = 0;
    for (int i = 0; i < FIGURES; i++)
        if (isfinite(q->most[i]) && c->figure[i] > q->most[i])
            *violation += c->figure[i] / q->most[i] - 1;
}

/* ---- generations ---- */

/* Fills in what the journal knows, which process 0 has. */
static void recall(const study *s, candidate *c, size_t count)
{
    candidate *sent = cli_alloc(count, sizeof *sent);
    for (size_t i = 0; i < count; i++) {
        if (s->journal)
            journal_find(s->journal, &c[i]);
        sent[i] = c[i];
    }
    job_send(s->q->job, sent, count * sizeof *sent);
    for (size_t i = 0; i < count; i++)
        candidate_take(&c[i], &sent[i]);
    free(sent);
}

/* Indices of the networks without a score, the costliest first: those that several processes score
 * at a time take about as long. Returns their number. */
static size_t order_unknown(const candidate *c, size_t count, size_t *order)
{
    size_t unknown = 0;
    for (size_t i = 0; i < count; i++) {
        if (isfinite(c[i].figure[CROSS_ENTROPY]) || isfinite(c[i].figure[TOP1]))
            continue;
        size_t at = unknown++;
        for (; at > 0 && c[order[at - 1]].figure[MACS] < c[i].figure[MACS]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return unknown;
}

/* Scores as many networks as there are processes, or fewer; journals them in their order. */
static scarlet_status score_round(study *s, candidate *c, const size_t *order, size_t count,
                                  scarlet_error *err)
{
    candidate *shared = cli_alloc(count, sizeof *shared);
    scarlet_status status = SCARLET_OK;
    for (size_t i = 0; status == SCARLET_OK && i < count; i++)
        if (job_makes(s->q->job, i)) {
            status = score(s, &c[order[i]], err);
            shared[i] = c[order[i]];
        }
    if (status == SCARLET_OK) {
        job_share(s->q->job, shared, count, sizeof *shared);
        for (size_t i = 0; i < count; i++) {
            candidate_take(&c[order[i]], &shared[i]);
            if (s->journal)
                journal_add(s->journal, &c[order[i]]);
        }
        progress_step(s->done += count);
    }
    free(shared);
    return status;
}

static scarlet_status generation(void *user, size_t count, const char *const *genotypes,
                                 scarlet_error *err)
{
    study *s = user;
    s->candidate = cli_resize(s->candidate, (s->count + count) * sizeof *s->candidate);
    candidate *c = s->candidate + s->count;
    s->count += count;
    for (size_t i = 0; i < count; i++) {
        c[i] = (candidate){.genotype = cli_format("%s", genotypes[i])};
        for (int k = 0; k < FIGURES; k++)
            c[i].figure[k] = NAN;
    }
    recall(s, c, count);
    scarlet_status status = SCARLET_OK;
    for (size_t i = 0; status == SCARLET_OK && i < count; i++)
        status = cost(s, &c[i], err);
    size_t *order = cli_alloc(count, sizeof *order), unknown = order_unknown(c, count, order);
    const size_t at_once = s->q->job ? (size_t)s->q->job->size : 1;
    s->done += count - unknown;
    for (size_t i = 0; status == SCARLET_OK && i < unknown; i += at_once)
        status = score_round(s, c, order + i, unknown - i < at_once ? unknown - i : at_once, err);
    free(order);
    return status;
}

/* Of the next network of the generation. */
static scarlet_status objective(void *user, const char *genotype, double *objectives,
                                double *violation, scarlet_error *err)
{
    study *s = user;
    const candidate *c = &s->candidate[s->evaluated++];
    (void)genotype;
    (void)err;
    judge(s->q, c, objectives, violation);
    return SCARLET_OK;
}

/* ---- hypervolume ---- */

static volume_point *points_here(const study *s)
{
    volume_point *point = cli_alloc(s->count, sizeof *point);
    for (size_t i = 0; i < s->count; i++)
        scarlet_search_trial(s->search, i, NULL, point[i].objective, &point[i].violation, NULL);
    return point;
}

/* Of the networks of another search. */
static volume_point *points_there(const study *s, size_t *count)
{
    csv table;
    char *path = super_file(s->q->compare, "trials.csv");
    csv_open(&table, path);
    volume_point *point = cli_alloc(table.rows, sizeof *point);
    *count = table.rows;
    for (size_t i = 0; i < table.rows; i++) {
        candidate c;
        for (int k = 0; k < FIGURES; k++) {
            const size_t column = csv_column(&table, figure_names[k]);
            c.figure[k] = *csv_cell(&table, i, column) ? csv_number(&table, i, column) : NAN;
        }
        judge(s->q, &c, point[i].objective, &point[i].violation);
        for (int k = 0; k < s->q->settings.objectives; k++)
            if (isnan(point[i].objective[k]))
                cli_refuse(path, "no %s", figure_names[s->q->objective[k]]);
    }
    csv_close(&table);
    free(path);
    return point;
}

/* By generation; the other search's after as many networks. */
static search_volume *volumes(const study *s, const search_trial *trial, int32_t generations)
{
    const int objectives = s->q->settings.objectives;
    size_t others = 0;
    volume_point *here = points_here(s), *there = s->q->compare ? points_there(s, &others) : NULL;
    search_volume *volume = cli_alloc((size_t)generations, sizeof *volume);
    volume_box box = volume_box_empty();
    volume_box_add(&box, here, s->count);
    volume_box_add(&box, there, others);
    for (size_t i = 0; i < s->count; i++)
        if (i + 1 == s->count || trial[i + 1].generation > trial[i].generation)
            volume[trial[i].generation] = (search_volume){
                volume_share(&box, here, i + 1, objectives),
                i < others ? volume_share(&box, there, i + 1, objectives) : NAN,
            };
    free(there);
    free(here);
    return volume;
}

/* ---- output ---- */

/* The networks of that order; NULL: all, as they were evaluated. */
static void write_table(const study *s, const char *name, const search_trial *trial,
                        const size_t *order, size_t count)
{
    char *path = super_file(s->q->shared.output, name);
    const bool measured = order && s->q->measure;
    FILE *out = fopen(path, "w");
    if (!out)
        cli_refuse_errno(path);
    fputs("genotype,generation", out);
    for (int k = 0; k < FIGURES; k++)
        fprintf(out, ",%s", figure_names[k]);
    fputs(measured ? ",measured_ms\n" : "\n", out);
    for (size_t i = 0; i < count; i++) {
        const search_trial *t = &trial[order ? order[i] : i];
        cell_put(out, t->about.genotype);
        fprintf(out, ",%d", t->generation);
        for (int k = 0; k < FIGURES; k++) {
            fputc(',', out);
            if (isfinite(t->about.figure[k]))
                fprintf(out, "%.9g", t->about.figure[k]);
        }
        if (measured)
            fprintf(out, ",%.6f", t->measured);
        fputc('\n', out);
    }
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        cli_discard(path);
    free(path);
}

/* Times the networks of the front in turn; of each the fastest round counts. */
static void measure_front(const study *s, search_trial *trial, const size_t *front, size_t best)
{
    enum { ROUNDS = 5 };
    scarlet_error err;
    scarlet_latency *timer;
    must(s, scarlet_latency_create(s->space, NULL, &timer, &err), &err);
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < best; i++) {
            search_trial *t = &trial[front[i]];
            int64_t nanos;
            must(s, scarlet_latency_time(timer, t->about.genotype, &nanos, &err), &err);
            t->measured = fmin(t->measured, (double)nanos * 1e-6); /* not NaN */
        }
    scarlet_latency_free(timer);
}

/* ---- trials ---- */

static bool dominates(const volume_point *a, const volume_point *b, int objectives)
{
    bool better = false;
    for (int k = 0; k < objectives; k++) {
        if (a->objective[k] > b->objective[k])
            return false;
        better |= a->objective[k] < b->objective[k];
    }
    return better;
}

/* Which networks were on the front, and how long. */
static search_trial *list_trials(const study *s)
{
    search_trial *trial = cli_alloc(s->count, sizeof *trial);
    volume_point *point = points_here(s);
    for (size_t i = 0; i < s->count; i++) {
        trial[i] = (search_trial){.about = s->candidate[i], .measured = NAN};
        scarlet_search_trial(s->search, i, NULL, NULL, NULL, &trial[i].generation);
    }
    for (size_t i = 0; i < s->count; i++) {
        trial[i].until = point[i].violation > 0 ? 0 : INT32_MAX;
        for (size_t k = 0; k < s->count; k++)
            if (point[k].violation <= 0 && trial[k].generation < trial[i].until &&
                dominates(&point[k], &point[i], s->q->settings.objectives))
                trial[i].until = trial[k].generation;
        if (trial[i].until <= trial[i].generation)
            trial[i].until = 0;
    }
    free(point);
    return trial;
}

/* Indices of the front; the first objective's best first. */
static size_t *order_front(const study *s, const search_trial *trial, size_t *count)
{
    size_t *order = cli_alloc(s->count, sizeof *order);
    volume_point *point = points_here(s);
    *count = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t at = *count;
        if (trial[i].until < INT32_MAX)
            continue;
        for (; at > 0 && point[order[at - 1]].objective[0] > point[i].objective[0]; at--)
            order[at] = order[at - 1];
        order[at] = i;
        ++*count;
    }
    free(point);
    return order;
}

/* ---- end ---- */

static void write_page(const study *s, const search_trial *trial, const size_t *front, size_t best,
                       const search_volume *volume, int32_t generations)
{
    const request *q = s->q;
    char *how = cli_format("%s%s, population %d, seed %" PRIu64, algorithms[q->settings.algorithm],
                           q->settings.reinforced ? ", reinforced" : "", q->settings.population,
                           q->settings.seed);
    search_page_write(&(search_page){
        .folder = q->shared.output,
        .how = how,
        .super = q->super,
        .rival = q->compare,
        .count = s->count,
        .trial = trial,
        .front = front,
        .best = best,
        .objectives = q->settings.objectives,
        .objective = q->objective,
        .most = q->most,
        .generations = generations,
        .volume = volume,
    });
    free(how);
}

static void conclude(study *s)
{
    search_trial *trial = list_trials(s);
    const int32_t generations = s->count ? trial[s->count - 1].generation + 1 : 0;
    size_t best, *front = order_front(s, trial, &best);
    search_volume *volume = volumes(s, trial, generations);
    if (s->q->measure)
        measure_front(s, trial, front, best);
    write_table(s, "trials.csv", trial, NULL, s->count);
    write_table(s, "pareto.csv", trial, front, best);
    write_page(s, trial, front, best, volume, generations);
    if (!s->q->shared.quiet) {
        printf("%zu networks evaluated, %zu on the front", s->count, best);
        if (generations && isfinite(volume[generations - 1].here))
            printf(", hypervolume %.4f", volume[generations - 1].here);
        printf("; ");
        cli_put(stdout, s->q->shared.output);
        printf("/pareto.csv lists them\n");
    }
    free(volume);
    free(front);
    free(trial);
}

/* ---- command ---- */

static void read_objectives(request *q, const char *text)
{
    q->settings.objectives = 0;
    for (const char *item = text; item; item = strchr(item, ',') ? strchr(item, ',') + 1 : NULL) {
        const size_t length = strcspn(item, ",");
        int found = 0;
        while (found < FIGURES && (strlen(figure_names[found]) != length ||
                                   strncmp(figure_names[found], item, length) != 0))
            found++;
        if (found == FIGURES || q->settings.objectives == SCARLET_OBJECTIVES_MAX)
            cli_usage(q->command, "--objectives: \"%s\" is not a list of up to %d of them", text,
                      SCARLET_OBJECTIVES_MAX);
        q->objective[q->settings.objectives++] = (figure_name)found;
    }
}

static double positive(const request *q, const char *option)
{
    char *end;
    double value = strtod(optarg, &end);
    if (end == optarg || *end || !(value > 0) || !isfinite(value))
        cli_usage(q->command, "%s: \"%s\" is not a number above 0", option, optarg);
    return value;
}

static void read_request(request *q, int argc, char **argv)
{
    for (int key; (key = cli_next(q->command, argc, argv)) != CLI_END;) {
        switch (key) {
        case OBJECTIVES:
            read_objectives(q, optarg);
            break;
        case LATENCY:
            q->latency_file = optarg;
            break;
        case MAX_LATENCY:
            q->most[LATENCY_MS] = positive(q, "--max-latency");
            break;
        case MAX_MACS:
            q->most[MACS] = positive(q, "--max-macs");
            break;
        case MAX_PARAMETERS:
            q->most[PARAMETERS] = positive(q, "--max-params");
            break;
        case ALGORITHM:
            q->settings.algorithm =
                (scarlet_algorithm)cli_choice(q->command, "--algorithm", optarg, algorithms);
            break;
        case POPULATION:
            q->settings.population =
                (int32_t)cli_integer(q->command, "--population", optarg, 1, 10000);
            break;
        case GENERATIONS:
            q->generations = (int)cli_integer(q->command, "--generations", optarg, 1, 100000);
            break;
        case REINFORCED:
            q->settings.reinforced = 1;
            break;
        case SEED:
            q->settings.seed = (uint64_t)cli_integer(q->command, "--seed", optarg, 0, INT64_MAX);
            break;
        case TABLE:
            q->table_file = optarg;
            break;
        case SPACE:
            q->space_name = optarg;
            break;
        case COMPARE:
            q->compare = optarg;
            break;
        case MEASURE:
            q->measure = true;
            break;
        case RESUME:
            q->resume = true;
            break;
        default:
            super_option(&q->shared, q->command, key);
        }
    }
    if (!q->shared.output)
        cli_usage(q->command, "no --output");
    if (q->table_file ? optind < argc || !q->space_name : optind + 1 != argc || q->space_name)
        cli_usage(q->command, q->table_file ? "--table goes with --space, without a supernet"
                                            : "one folder of a supernet is needed, or --table");
    q->super = q->table_file ? NULL : argv[optind];
    bool timed = isfinite(q->most[LATENCY_MS]);
    for (int i = 0; i < q->settings.objectives; i++)
        timed |= q->objective[i] == LATENCY_MS;
    if (timed && !q->latency_file)
        cli_usage(q->command, "latency is asked for: give --latency");
}

/* Makes the folder, or finds it there. */
static void open_journal(study *s)
{
    const request *q = s->q;
    if (q->resume ? access(q->shared.output, F_OK) != 0 : mkdir(q->shared.output, 0777) != 0) {
        if (!q->resume && errno == EEXIST)
            cli_usage(q->command, "%s exists already: --resume continues it", q->shared.output);
        cli_refuse_errno(q->shared.output);
    }
    char *path = super_file(q->shared.output, "journal.jsonl");
    char *about = q->super ? cli_format("%ssupernet of %.0f steps\n", scarlet_space_text(s->space),
                                        scarlet_supernet_get(s->folder.net, SCARLET_SUPERNET_STEP))
                           : cli_format("%stable\n", scarlet_space_text(s->space));
    s->journal = journal_open(path, about, q->settings.seed, q->resume);
    free(about);
    free(path);
}

static void open_study(study *s)
{
    const request *q = s->q;
    scarlet_error err;
    if (q->table_file) {
        must(s, scarlet_space_load(q->space_name, &s->own_space, &err), &err);
        s->space = s->own_space;
        csv_open(&s->table, q->table_file);
    } else {
        super_open(&s->folder, q->command, q->super, &q->shared);
        s->space = scarlet_supernet_space(s->folder.net);
    }
    if (q->latency_file)
        must(s, scarlet_latency_load(q->latency_file, &s->latency, &err), &err);
    if (job_leads(q->job))
        open_journal(s);
    must(s, scarlet_search_create(s->space, &q->settings, objective, s, &s->search, &err), &err);
    scarlet_search_announce(s->search, generation);
}

static void close_study(study *s)
{
    scarlet_search_free(s->search);
    if (s->journal)
        journal_close(s->journal);
    scarlet_latency_free(s->latency);
    scarlet_space_free(s->own_space);
    if (s->q->table_file)
        csv_close(&s->table);
    else
        super_close(&s->folder);
    for (size_t i = 0; i < s->count; i++)
        free(s->candidate[i].genotype);
    free(s->candidate);
}

static int run(const cli_command *command, int argc, char **argv)
{
    request q = {.command = command,
                 .settings = {.population = 64, .crossover = 0.9, .seed = 1, .objectives = 2},
                 .objective = {CROSS_ENTROPY, MACS},
                 .generations = 20};
    for (int i = 0; i < FIGURES; i++)
        q.most[i] = INFINITY;
    q.job = job_join();
    /* Process 0 first: what is wrong with the request is reported once. */
    if (!job_leads(q.job))
        job_follow(q.job);
    read_request(&q, argc, argv);
    study s = {.q = &q};
    open_study(&s);
    if (job_leads(q.job))
        job_follow(q.job);
    else
        q.shared.quiet = true;
    if (q.super)
        super_join(&s.folder, command, q.job);
    interrupt_catch();
    progress_start((size_t)q.generations * (size_t)q.settings.population, q.shared.quiet);
    bool stopped = false;
    for (int i = 0; i < q.generations && !scarlet_search_finished(s.search); i++) {
        if ((stopped = job_any(q.job, interrupted())))
            break;
        scarlet_error err;
        scarlet_status status = scarlet_search_step(s.search, &err);
        if (status != SCARLET_OK)
            progress_hide();
        must(&s, status, &err);
    }
    progress_hide();
    if (stopped) {
        if (!q.shared.quiet)
            cli_error("interrupted; the same command with --resume goes on");
        close_study(&s);
        job_interrupt(q.job);
    }
    if (job_leads(q.job))
        conclude(&s);
    close_study(&s);
    return DONE;
}

const cli_command cli_nas = {
    .name = "scarlet search",
    .summary =
        "Searches a space for the networks that are best in several respects: accuracy by a\n"
        "supernet's scores, latency, multiply-adds, parameters.",
    .synopsis =
        "SUPER --output FOLDER [OPTION]...\n--table FILE --space NAME --output FOLDER [OPTION]...",
    .options = options,
    .notes =
        "Examples:\n"
        "  scarlet search super --output found --objectives cross_entropy,macs --generations 5\n"
        "  scarlet search --table networks.csv --space space.txt --output by-table --objectives "
        "top1,macs\n",
    .run = run,
};
