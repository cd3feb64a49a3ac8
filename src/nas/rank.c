/* scarlet rank: does a score order networks as their true accuracies do? */
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json_write.h"
#include "common/message.h"
#include "common/status.h"
#include "correlation.h"
#include "csv.h"
#include "nas.h"
#include "report/html.h"
#include "report/page.h"
#include "scatter.h"

enum { TRUTH = 128, SCORE, CONTROL, KEY, ROUND, RESAMPLES, SEED, JSON, PLOT };
enum { COLUMNS_MAX = 64, ROWS_MAX = 10000, QUINTILES = 5, DEPTHS_MAX = 64 };

static const cli_option options[] = {
    {TRUTH, "truth", "FILE:COLUMN", "true accuracy; repeated: trainings with other seeds"},
    {SCORE, "score", "FILE:COLUMN",
     "score under test; repeated: supernets with other seeds.\n"
     "A minus sign before COLUMN: lower is better"},
    {CONTROL, "control", "FILE:COLUMN",
     "cost that must not explain the order, such as multiply-adds;\nmay be repeated"},
    {KEY, "key", "COLUMN", "column by which the files' rows are joined; default genotype"},
    {ROUND, "round", "X", "unit that sparse tau rounds the truth to; default 0.001"},
    {RESAMPLES, "resamples", "N", "resamples of the bootstrap; default 1000"},
    {SEED, "seed", "N", "seed of the bootstrap; default 1"},
    {JSON, "json", NULL, "print one JSON object"},
    {PLOT, "plot", "FILE", "write a page with scatter plots"},
    {0},
};

/* ---- columns of files ---- */

typedef struct column {
    const char *name; /* "FILE:COLUMN", as given */
    double *value;    /* of each network */
} column;

typedef struct study {
    size_t n; /* networks */
    char **key;
    column truth[COLUMNS_MAX], score[COLUMNS_MAX], control[COLUMNS_MAX];
    size_t truths, scores, controls;
    double *mean_truth, *rounded_truth, *mean_score;
    int *depth;                 /* layers of the genotype that are not skipped; NULL: no genotype */
    int *quintile[COLUMNS_MAX]; /* of each control */
} study;

typedef struct row {
    const char *key;
    size_t index;
} row;

static int by_key(const void *a, const void *b)
{
    return strcmp(((const row *)a)->key, ((const row *)b)->key);
}

/* Rows of a table by key; free it. */
static row *sorted_rows(const csv *table, size_t key)
{
    row *rows = cli_alloc(table->rows, sizeof *rows);
    for (size_t i = 0; i < table->rows; i++)
        rows[i] = (row){csv_cell(table, i, key), i};
    qsort(rows, table->rows, sizeof *rows, by_key);
    for (size_t i = 1; i < table->rows; i++)
        if (strcmp(rows[i - 1].key, rows[i].key) == 0)
            cli_refuse(table->path, "\"%.80s\" occurs twice", rows[i].key);
    return rows;
}

/* Reads a column in the order of the first file's keys, which the first one read sets. */
static void read_column(study *s, const cli_command *command, const char *name, const char *key,
                        column *out)
{
    const char *colon = strrchr(name, ':');
    if (!colon || colon == name)
        cli_usage(command, "\"%s\" is not FILE:COLUMN", name);
    char *path = cli_format("%.*s", (int)(colon - name), name);
    bool falling = colon[1] == '-';
    csv table;
    csv_open(&table, path);
    if (table.rows > ROWS_MAX)
        cli_refuse(path, "%zu rows; %d at most", table.rows, ROWS_MAX);
    size_t value = csv_column(&table, colon + 1 + falling), keys = csv_column(&table, key);
    row *rows = sorted_rows(&table, keys);
    if (!s->key) {
        s->n = table.rows;
        s->key = cli_alloc(s->n, sizeof *s->key);
        for (size_t i = 0; i < s->n; i++)
            s->key[i] = cli_format("%s", rows[i].key);
    }
    *out = (column){name, cli_alloc(s->n, sizeof *out->value)};
    for (size_t i = 0; i < s->n; i++) {
        const row wanted = {s->key[i], 0},
                  *found = bsearch(&wanted, rows, table.rows, sizeof *rows, by_key);
        if (!found)
            cli_refuse(path, "no row for \"%.80s\"", s->key[i]);
        double number = csv_number(&table, found->index, value);
        out->value[i] = falling ? -number : number;
    }
    free(rows);
    csv_close(&table);
    free(path);
}

static double *mean_column(const column *columns, size_t count, size_t n)
{
    double *mean = cli_alloc(n, sizeof *mean);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < count; k++)
            mean[i] += columns[k].value[i];
        mean[i] /= (double)count;
    }
    return mean;
}

/* Layers of "e3k3,id,let" that are blocks; -1 if the text is no such list. */
static int depth_of(const char *genotype)
{
    int depth = 0;
    for (const char *item = genotype;; item++) {
        size_t length = strcspn(item, ",");
        bool skip = (length == 2 && memcmp(item, "id", 2) == 0) ||
                    (length == 3 && memcmp(item, "let", 3) == 0);
        if (!skip && (length < 4 || item[0] != 'e' || item[2] != 'k'))
            return -1;
        depth += !skip;
        item += length;
        if (!*item)
            return depth < DEPTHS_MAX ? depth : -1;
    }
}

static int *depths(const study *s)
{
    int *depth = cli_alloc(s->n, sizeof *depth);
    for (size_t i = 0; i < s->n; i++)
        if ((depth[i] = depth_of(s->key[i])) < 0) {
            free(depth);
            return NULL;
        }
    return depth;
}

/* Which fifth of the values each is in; equal values are in the same. */
static int *quintiles(const double *value, size_t n)
{
    size_t *order = cli_alloc(n, sizeof *order);
    int *fifth = cli_alloc(n, sizeof *fifth);
    ascending_order(value, n, order);
    for (size_t i = 0; i < n; i++) {
        bool tied = i && value[order[i]] == value[order[i - 1]];
        fifth[order[i]] = tied ? fifth[order[i - 1]] : (int)(i * QUINTILES / n);
    }
    free(order);
    return fifth;
}

/* ---- figures ---- */

typedef struct figure {
    char *name;
    double tau, low, high; /* 95 % over networks */
    double sparse;
} figure;

typedef struct figures {
    size_t count;
    figure *item;
    double columns_low, columns_high; /* of the first figure: 95 % over the score's columns */
} figures;

static size_t figures_count(const study *s)
{
    size_t others = (size_t)(s->truths > 1) + (size_t)(s->depth != NULL);
    return 1 + others + 3 * s->controls;
}

static char **figure_names(const study *s)
{
    char **name = cli_alloc(figures_count(s), sizeof *name);
    size_t f = 0;
    name[f++] = cli_format("score");
    if (s->truths > 1)
        name[f++] = cli_format("truth between seeds");
    if (s->depth)
        name[f++] = cli_format("score at equal depth");
    for (size_t c = 0; c < s->controls; c++) {
        const char *control = strrchr(s->control[c].name, ':') + 1;
        name[f++] = cli_format("%s", control);
        name[f++] = cli_format("score less %s", control);
        name[f++] = cli_format("score within fifths of %s", control);
    }
    return name;
}

/* Mean of the taus of the score's columns. */
static double score_tau(const study *s, const double *truth, const unsigned *times,
                        const int *stratum)
{
    double sum = 0;
    for (size_t k = 0; k < s->scores; k++)
        sum += kendall(s->score[k].value, truth, s->n, times, stratum);
    return sum / (double)s->scores;
}

/* Mean over the pairs of the truth's columns. */
static double ceiling(const study *s, const unsigned *times)
{
    double sum = 0;
    for (size_t a = 1; a < s->truths; a++)
        for (size_t b = 0; b < a; b++)
            sum += kendall(s->truth[a].value, s->truth[b].value, s->n, times, NULL);
    return sum / ((double)(s->truths * (s->truths - 1)) / 2);
}

/* All figures against one truth, networks counted `times`. */
static void evaluate(const study *s, const double *truth, const unsigned *times, double *out)
{
    size_t f = 0;
    double score = out[f++] = score_tau(s, truth, times, NULL);
    if (s->truths > 1)
        out[f++] = ceiling(s, times);
    if (s->depth)
        out[f++] = score_tau(s, truth, times, s->depth);
    for (size_t c = 0; c < s->controls; c++) {
        double control = kendall(s->control[c].value, truth, s->n, times, NULL);
        out[f++] = control;
        out[f++] = score - control;
        out[f++] = score_tau(s, truth, times, s->quintile[c]);
    }
}

/* SplitMix64. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Percentile intervals of all figures over resampled networks. */
static void bootstrap(const study *s, figures *f, size_t resamples, uint64_t seed)
{
    double *all = cli_alloc(f->count * resamples, sizeof *all);
    double *one = cli_alloc(f->count, sizeof *one);
    unsigned *times = cli_alloc(s->n, sizeof *times);
    size_t *finite = cli_alloc(f->count, sizeof *finite);
    for (size_t r = 0; r < resamples; r++) {
        memset(times, 0, s->n * sizeof *times);
        for (size_t i = 0; i < s->n; i++)
            times[(draw(&seed) >> 32) * s->n >> 32]++;
        evaluate(s, s->mean_truth, times, one);
        for (size_t k = 0; k < f->count; k++)
            if (isfinite(one[k]))
                all[k * resamples + finite[k]++] = one[k];
    }
    for (size_t k = 0; k < f->count; k++) {
        double *sample = all + k * resamples;
        qsort(sample, finite[k], sizeof *sample, ascending);
        f->item[k].low = finite[k] ? quantile(sample, finite[k], 0.025) : NAN;
        f->item[k].high = finite[k] ? quantile(sample, finite[k], 0.975) : NAN;
    }
    free(finite);
    free(times);
    free(one);
    free(all);
}

/* Student's t interval of the mean over the score's columns. */
static void over_columns(const study *s, figures *f)
{
    static const double t975[] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                  2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                  2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                  2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
    f->columns_low = f->columns_high = NAN;
    if (s->scores < 2)
        return;
    double squares = 0, count = (double)s->scores;
    for (size_t k = 0; k < s->scores; k++) {
        double off = kendall(s->score[k].value, s->mean_truth, s->n, NULL, NULL) - f->item[0].tau;
        squares += off * off;
    }
    size_t freedom = s->scores - 1, last = sizeof t975 / sizeof *t975;
    double t = t975[(freedom < last ? freedom : last) - 1];
    double half = t * sqrt(squares / (count - 1) / count);
    f->columns_low = f->item[0].tau - half;
    f->columns_high = f->item[0].tau + half;
}

static figures judge(const study *s, size_t resamples, uint64_t seed)
{
    figures f = {.count = figures_count(s)};
    f.item = cli_alloc(f.count, sizeof *f.item);
    char **name = figure_names(s);
    double *tau = cli_alloc(f.count, sizeof *tau), *sparse = cli_alloc(f.count, sizeof *sparse);
    evaluate(s, s->mean_truth, NULL, tau);
    evaluate(s, s->rounded_truth, NULL, sparse);
    for (size_t i = 0; i < f.count; i++)
        f.item[i] = (figure){.name = name[i], .tau = tau[i], .sparse = sparse[i]};
    bootstrap(s, &f, resamples, seed);
    over_columns(s, &f);
    free(sparse);
    free(tau);
    free(name);
    return f;
}

/* ---- output ---- */

static void print_text(const study *s, const figures *f)
{
    printf("%zu networks; columns: %zu of truth, %zu of scores\n\n%-40s %8s   %-18s %8s\n", s->n,
           s->truths, s->scores, "Kendall's tau-b against the truth", "tau", "95 %, networks",
           "sparse");
    for (size_t i = 0; i < f->count; i++) {
        const figure *g = &f->item[i];
        cli_put(stdout, g->name);
        printf("%*s %8.4f   %7.4f .. %7.4f %8.4f\n", (int)(40 - strlen(g->name) % 40), "", g->tau,
               g->low, g->high, g->sparse);
    }
    if (s->scores > 1)
        printf("\nscore, 95 %% over its columns: %.4f .. %.4f\n", f->columns_low, f->columns_high);
}

static void json_number(json *j, const char *key, double value)
{
    json_key(j, key);
    json_double(j, value);
}

static void print_json(const study *s, const figures *f)
{
    json j = {.out = stdout};
    json_open(&j, '{');
    json_key(&j, "networks");
    json_integer(&j, (int64_t)s->n);
    json_key(&j, "truths");
    json_integer(&j, (int64_t)s->truths);
    json_key(&j, "scores");
    json_integer(&j, (int64_t)s->scores);
    json_number(&j, "columns_low", f->columns_low);
    json_number(&j, "columns_high", f->columns_high);
    json_key(&j, "figures");
    json_open(&j, '[');
    for (size_t i = 0; i < f->count; i++) {
        json_open(&j, '{');
        json_key(&j, "name");
        json_text(&j, f->item[i].name);
        json_number(&j, "tau", f->item[i].tau);
        json_number(&j, "low", f->item[i].low);
        json_number(&j, "high", f->item[i].high);
        json_number(&j, "sparse", f->item[i].sparse);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
    json_end(&j);
}

static void write_page(const char *path, const study *s, const figures *f)
{
    FILE *out = page_open(path, "Ranking of networks");
    fputs(
        "<div class=\"scroll\"><table id=\"figures\"><tr><th>Against the truth<th "
        "class=\"n\">tau-b"
        "<th class=\"n\">95 %, networks<th class=\"n\">sparse</tr>\n",
        out);
    for (size_t i = 0; i < f->count; i++) {
        fputs("<tr><td>", out);
        html_text(out, f->item[i].name);
        fprintf(out, "<td class=\"n\">%.4f<td class=\"n\">%.4f to %.4f<td class=\"n\">%.4f</tr>\n",
                f->item[i].tau, f->item[i].low, f->item[i].high, f->item[i].sparse);
    }
    fputs("</table></div>\n", out);
    if (s->scores > 1)
        fprintf(out, "<p>Score, 95 %% over its columns: %.4f to %.4f.</p>\n", f->columns_low,
                f->columns_high);
    scatter plot = {.title = s->depth ? "Score and truth of each network; paler: more blocks"
                                      : "Score and truth of each network",
                    .x_name = s->scores > 1 ? "score, mean of its columns" : s->score[0].name,
                    .y_name = s->truths > 1 ? "truth, mean of its columns" : s->truth[0].name,
                    .n = s->n,
                    .x = s->mean_score,
                    .y = s->mean_truth,
                    .name = (const char *const *)s->key,
                    .shade = s->depth,
                    .shades = 1};
    for (size_t i = 0; s->depth && i < s->n; i++)
        plot.shades = s->depth[i] + 1 > plot.shades ? s->depth[i] + 1 : plot.shades;
    fputs("<div class=\"plots\">\n", out);
    plot_scatter(out, &plot);
    for (size_t c = 0; c < s->controls; c++) {
        plot.title = "The control and the truth";
        plot.x_name = s->control[c].name;
        plot.x = s->control[c].value;
        plot_scatter(out, &plot);
    }
    fputs("</div>\n", out);
    page_close(out, path);
}

/* ---- command ---- */

static void add(const cli_command *command, const char **names, size_t *count)
{
    if (*count == COLUMNS_MAX)
        cli_usage(command, "more than %d columns of a kind", COLUMNS_MAX);
    names[(*count)++] = optarg;
}

static double unit(const cli_command *command, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value > 0) || !isfinite(value))
        cli_usage(command, "--round: \"%s\" is not a number above 0", text);
    return value;
}

static void study_free(study *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->key[i]);
    free(s->key);
    for (size_t i = 0; i < COLUMNS_MAX; i++) {
        free(s->truth[i].value);
        free(s->score[i].value);
        free(s->control[i].value);
        free(s->quintile[i]);
    }
    free(s->mean_truth);
    free(s->rounded_truth);
    free(s->mean_score);
    free(s->depth);
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *truth[COLUMNS_MAX] = {0}, *score[COLUMNS_MAX] = {0}, *control[COLUMNS_MAX] = {0};
    const char *key = "genotype", *page = NULL;
    study s = {0};
    size_t resamples = 1000;
    int64_t seed = 1;
    double round_to = 0.001;
    bool as_json = false;
    for (int option; (option = cli_next(command, argc, argv)) != CLI_END;) {
        switch (option) {
        case TRUTH:
            add(command, truth, &s.truths);
            break;
        case SCORE:
            add(command, score, &s.scores);
            break;
        case CONTROL:
            add(command, control, &s.controls);
            break;
        case KEY:
            key = optarg;
            break;
        case ROUND:
            round_to = unit(command, optarg);
            break;
        case RESAMPLES:
            resamples = (size_t)cli_integer(command, "--resamples", optarg, 1, 1000000);
            break;
        case SEED:
            seed = cli_integer(command, "--seed", optarg, 0, INT64_MAX);
            break;
        case JSON:
            as_json = true;
            break;
        case PLOT:
            page = optarg;
            break;
        }
    }
    if (optind < argc)
        cli_usage(command, "\"%s\" is too much", argv[optind]);
    if (!s.truths || !s.scores)
        cli_usage(command, "no column: give --%s", s.truths ? "score" : "truth");
    for (size_t i = 0; i < s.truths; i++)
        read_column(&s, command, truth[i], key, &s.truth[i]);
    for (size_t i = 0; i < s.scores; i++)
        read_column(&s, command, score[i], key, &s.score[i]);
    for (size_t i = 0; i < s.controls; i++) {
        read_column(&s, command, control[i], key, &s.control[i]);
        s.quintile[i] = quintiles(s.control[i].value, s.n);
    }
    if (s.n < 2)
        cli_refuse(truth[0], "fewer than two networks");
    s.mean_truth = mean_column(s.truth, s.truths, s.n);
    s.mean_score = mean_column(s.score, s.scores, s.n);
    s.rounded_truth = cli_alloc(s.n, sizeof *s.rounded_truth);
    for (size_t i = 0; i < s.n; i++)
        s.rounded_truth[i] = round(s.mean_truth[i] / round_to);
    s.depth = depths(&s);
    figures f = judge(&s, resamples, (uint64_t)seed);
    if (as_json)
        print_json(&s, &f);
    else
        print_text(&s, &f);
    if (page)
        write_page(page, &s, &f);
    for (size_t i = 0; i < f.count; i++)
        free(f.item[i].name);
    free(f.item);
    study_free(&s);
    return DONE;
}

const cli_command cli_nas = {
    .name = "scarlet rank",
    .summary =
        "Compares the order in which a score puts networks with that of their true accuracies:\n"
        "Kendall's tau-b, with intervals, beside what costs alone would reach.",
    .synopsis = "--truth FILE:COLUMN... --score FILE:COLUMN... [OPTION]...",
    .options = options,
    .notes =
        "Examples:\n"
        "  scarlet rank --truth truth.csv:top1 --score scores.csv:-cross_entropy\n"
        "  scarlet rank --truth truth.csv:seed1 --truth truth.csv:seed2 --score scores.csv:top1 "
        "\\\n"
        "    --control truth.csv:macs --control truth.csv:parameters --plot rank.html\n",
    .run = run,
};
