/* scarlet latency: times networks of a space and predicts the others from them. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cells.h"
#include "common/message.h"
#include "common/progress.h"
#include "common/settings.h"
#include "common/status.h"
#include "correlation.h"
#include "nas.h"
#include "report/html.h"
#include "report/page.h"
#include "scarlet/nas.h"
#include "scatter.h"

enum { SPACE = 128, NETWORKS, CHECKS, ROUNDS, SEED, INPUT_SIZE, SAMPLES, PLOT };
enum { NETWORKS_MAX = 100000, CHECKS_DEFAULT = 100, ROUNDS_DEFAULT = 9, A_TERM = 4 };

static const cli_option options[] = {
    {SPACE, "space", "default|28px|243|FILE", "space of the networks: by its name, or in a file"},
    {'O', "output", "FILE", "the table to write"},
    {NETWORKS, "networks", "N", "networks to fit; default four for each term of the table"},
    {CHECKS, "checks", "N",
     "networks to check with, of random and of small ones each;\ndefault 100"},
    {ROUNDS, "rounds", "N", "times that each network is built and timed; default 9"},
    {SEED, "seed", "N", "which networks are drawn; default 1"},
    {'t', "threads", "N", "threads of the network (0: all CPUs); default 1"},
    {INPUT_SIZE, "input-size", "N", "side of the network's input; default: the space's"},
    {SAMPLES, "samples", "FILE", "write the networks that were timed as comma-separated values"},
    {PLOT, "plot", "FILE", "write a page that plots predicted against measured"},
    {'o', "opt", "NAME=VALUE", "set a library option, such as precision; may be repeated"},
    {'q', "quiet", NULL, "no progress bar"},
    {0},
};

/* ---- networks ---- */

/* Of what they are a sample. */
typedef enum part { FIT, RANDOM, SMALL, PARTS } part;

static const char *const part_name[PARTS] = {"fit", "random", "small"};
static const scarlet_sampling part_sampling[PARTS] = {
    SCARLET_SAMPLING_SPREAD, SCARLET_SAMPLING_UNIFORM, SCARLET_SAMPLING_SMALL};

typedef struct study {
    size_t n, first[PARTS + 1]; /* networks of part p: first[p] .. first[p + 1] - 1 */
    char **genotype;
    int64_t *measured, *predicted, *macs; /* nanoseconds; multiply-adds */
} study;

static void must(scarlet_status status, const scarlet_error *err)
{
    if (status == SCARLET_OK)
        return;
    cli_error("%s", err->message);
    exit(status == SCARLET_ERROR_ARGUMENT ? USAGE : INPUT_FAILED);
}

static bool known(const study *s, const char *genotype)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->genotype[i], genotype) == 0)
            return true;
    return false;
}

/* Draws networks of a part that no other has; fewer if the space is small. */
static void draw(study *s, const scarlet_space *space, part p, size_t count, uint64_t seed)
{
    s->first[p] = s->n;
    for (uint64_t i = 0; s->n - s->first[p] < count && i < 10 * count; i++) {
        char genotype[SCARLET_GENOTYPE_SIZE];
        scarlet_error err;
        must(scarlet_space_sample(space, part_sampling[p], seed, i, genotype, &err), &err);
        if (!known(s, genotype))
            s->genotype[s->n++] = cli_format("%s", genotype);
    }
    s->first[p + 1] = s->n;
}

static study draw_all(const scarlet_space *space, size_t networks, size_t checks, uint64_t seed)
{
    study s = {0};
    size_t most = networks + 2 * checks;
    s.genotype = cli_alloc(most, sizeof *s.genotype);
    s.measured = cli_alloc(most, sizeof *s.measured);
    s.predicted = cli_alloc(most, sizeof *s.predicted);
    s.macs = cli_alloc(most, sizeof *s.macs);
    draw(&s, space, FIT, networks, seed);
    draw(&s, space, RANDOM, checks, seed);
    draw(&s, space, SMALL, checks, seed);
    for (size_t i = 0; i < s.n; i++) {
        scarlet_error err;
        must(scarlet_space_costs(space, s.genotype[i], &s.macs[i], NULL, &err), &err);
    }
    return s;
}

/* ---- measuring ---- */

/* Times all networks in turn, several times over, so that what disturbs the machine for a while
 * falls upon all of them alike. It can only slow them down: of each the fastest round counts. */
static void measure(study *s, const scarlet_latency *latency, size_t rounds, bool quiet)
{
    progress_start(s->n * rounds, quiet);
    for (size_t r = 0; r < rounds; r++)
        for (size_t i = 0; i < s->n; i++) {
            int64_t nanos;
            scarlet_error err;
            scarlet_status status = scarlet_latency_time(latency, s->genotype[i], &nanos, &err);
            if (status != SCARLET_OK)
                progress_hide();
            must(status, &err);
            if (r == 0 || nanos < s->measured[i])
                s->measured[i] = nanos;
            progress_step(r * s->n + i + 1);
        }
    progress_hide();
}

/* ---- output ---- */

typedef struct agreement {
    size_t count;
    double within5, within10;    /* percent of the networks */
    double correlation, of_macs; /* Spearman's, of predictions and of multiply-adds */
} agreement;

static double *values(const int64_t *from, size_t count, double unit)
{
    double *out = cli_alloc(count, sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[i] = (double)from[i] * unit;
    return out;
}

static agreement compare(const study *s, part p)
{
    size_t first = s->first[p], count = s->first[p + 1] - first;
    agreement a = {.count = count};
    double *measured = values(s->measured + first, count, 1);
    double *predicted = values(s->predicted + first, count, 1);
    double *macs = values(s->macs + first, count, 1);
    for (size_t i = 0; i < count; i++) {
        double off = predicted[i] / measured[i] - 1;
        a.within5 += off <= 0.05 && off >= -0.05;
        a.within10 += off <= 0.10 && off >= -0.10;
    }
    a.within5 *= 100 / (double)count;
    a.within10 *= 100 / (double)count;
    a.correlation = spearman(predicted, measured, count);
    a.of_macs = spearman(macs, measured, count);
    free(macs);
    free(predicted);
    free(measured);
    return a;
}

static void print_checks(const study *s)
{
    printf("%-8s %9s %12s %12s %18s %18s\n", "Unseen", "Networks", "Within 5 %", "Within 10 %",
           "Rank correlation", "of multiply-adds");
    for (part p = RANDOM; p < PARTS; p++) {
        agreement a = compare(s, p);
        printf("%-8s %9zu %12.1f %12.1f %18.4f %18.4f\n", part_name[p], a.count, a.within5,
               a.within10, a.correlation, a.of_macs);
    }
}

static void write_samples(const char *path, const study *s)
{
    FILE *out = fopen(path, "w");
    if (!out)
        cli_refuse_errno(path);
    fputs("genotype,part,macs,measured_ns,predicted_ns\n", out);
    for (part p = FIT; p < PARTS; p++)
        for (size_t i = s->first[p]; i < s->first[p + 1]; i++) {
            cell_put(out, s->genotype[i]);
            fprintf(out, ",%s,%" PRId64 ",%" PRId64 ",%" PRId64 "\n", part_name[p], s->macs[i],
                    s->measured[i], s->predicted[i]);
        }
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        cli_discard(path);
}

static void write_page(const char *path, const study *s, const scarlet_latency *latency)
{
    FILE *out = page_open(path, "Latency of networks");
    fputs("<pre>", out);
    for (const char *line = scarlet_latency_describe(latency); *line;) {
        char *copy = cli_format("%.*s", (int)strcspn(line, "\n"), line);
        html_text(out, copy);
        fputc('\n', out);
        line += strlen(copy) + 1;
        free(copy);
    }
    fputs(
        "</pre>\n<div class=\"scroll\"><table id=\"checks\"><tr><th>Unseen networks<th "
        "class=\"n\">Number<th class=\"n\">Within 5 %<th class=\"n\">Within 10 %<th "
        "class=\"n\">Rank correlation<th class=\"n\">of multiply-adds</tr>\n",
        out);
    size_t first = s->first[RANDOM], count = s->n - first;
    int *shade = cli_alloc(count, sizeof *shade);
    for (part p = RANDOM; p < PARTS; p++) {
        agreement a = compare(s, p);
        fprintf(out,
                "<tr><td>%s<td class=\"n\">%zu<td class=\"n\">%.1f<td class=\"n\">%.1f<td "
                "class=\"n\">%.4f<td class=\"n\">%.4f</tr>\n",
                part_name[p], a.count, a.within5, a.within10, a.correlation, a.of_macs);
        for (size_t i = s->first[p]; i < s->first[p + 1]; i++)
            shade[i - first] = p == SMALL;
    }
    fputs("</table></div>\n<div class=\"plots\">\n", out);
    double *measured = values(s->measured + first, count, 1e-6);
    double *predicted = values(s->predicted + first, count, 1e-6);
    double *macs = values(s->macs + first, count, 1e-6);
    scatter plot = {.title = "Predicted and measured; paler: small networks",
                    .x_name = "predicted, ms",
                    .y_name = "measured, ms",
                    .n = count,
                    .x = predicted,
                    .y = measured,
                    .name = (const char *const *)s->genotype + first,
                    .shade = shade,
                    .shades = 2,
                    .diagonal = true};
    plot_scatter(out, &plot);
    plot.title = "Multiply-adds of the same networks";
    plot.x_name = "multiply-adds, millions";
    plot.x = macs;
    plot.diagonal = false;
    plot_scatter(out, &plot);
    fputs("</div>\n", out);
    page_close(out, path);
    free(macs);
    free(predicted);
    free(measured);
    free(shade);
}

/* ---- command ---- */

static int run(const cli_command *command, int argc, char **argv)
{
    const char *space_name = NULL, *output = NULL, *samples = NULL, *page = NULL;
    char *settings = NULL;
    size_t networks = 0, checks = CHECKS_DEFAULT, rounds = ROUNDS_DEFAULT;
    uint64_t seed = 1;
    bool quiet = false;
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case SPACE:
            space_name = optarg;
            break;
        case 'O':
            output = optarg;
            break;
        case NETWORKS:
            networks = (size_t)cli_integer(command, "--networks", optarg, 1, NETWORKS_MAX);
            break;
        case CHECKS:
            checks = (size_t)cli_integer(command, "--checks", optarg, 2, NETWORKS_MAX);
            break;
        case ROUNDS:
            rounds = (size_t)cli_integer(command, "--rounds", optarg, 1, 1000);
            break;
        case SEED:
            seed = (uint64_t)cli_integer(command, "--seed", optarg, 0, INT64_MAX);
            break;
        case 't':
            cli_set(&settings, command, "threads=%s", optarg);
            break;
        case INPUT_SIZE:
            cli_set(&settings, command, "input_size=%s", optarg);
            break;
        case SAMPLES:
            samples = optarg;
            break;
        case PLOT:
            page = optarg;
            break;
        case 'o':
            cli_set(&settings, command, "%s", optarg);
            break;
        case 'q':
            quiet = true;
            break;
        }
    }
    if (optind < argc)
        cli_usage(command, "\"%s\" is too much", argv[optind]);
    if (!space_name || !output)
        cli_usage(command, "no %s", space_name ? "--output" : "--space");
    scarlet_error err;
    scarlet_space *space;
    scarlet_latency *latency;
    scarlet_options *opts = cli_options(settings, NULL);
    must(scarlet_space_load(space_name, &space, &err), &err);
    must(scarlet_latency_create(space, opts, &latency, &err), &err);
    if (!networks)
        networks = A_TERM * (size_t)scarlet_space_get(space, SCARLET_SPACE_TERMS);
    study s = draw_all(space, networks, checks, seed);
    measure(&s, latency, rounds, quiet);
    must(scarlet_latency_fit(latency, (const char *const *)s.genotype, s.measured, s.first[FIT + 1],
                             &err),
         &err);
    for (size_t i = 0; i < s.n; i++)
        must(scarlet_latency_predict(latency, s.genotype[i], &s.predicted[i], &err), &err);
    must(scarlet_latency_write(latency, output, &err), &err);
    if (samples)
        write_samples(samples, &s);
    if (s.first[RANDOM] == s.n)
        cli_refuse(space_name, "no network is left to check the table with");
    print_checks(&s);
    if (page)
        write_page(page, &s, latency);

    for (size_t i = 0; i < s.n; i++)
        free(s.genotype[i]);
    free(s.genotype);
    free(s.measured);
    free(s.predicted);
    free(s.macs);
    scarlet_latency_free(latency);
    scarlet_space_free(space);
    scarlet_options_free(opts);
    free(settings);
    return DONE;
}

const cli_command cli_nas = {
    .name = "scarlet latency",
    .summary =
        "Times some networks of a space on this machine, and writes a table that predicts all\n"
        "others: a constant, and a term for each choice of each layer.",
    .synopsis = "--space NAME --output FILE [OPTION]...",
    .options = options,
    .library_options = true,
    .no_effect = (const char *const[]){"max_bytes", "storage", "batch_max", "layout", "output",
                                       "max_memory", "max_pixels", "auto_orient", "crop", "resize",
                                       "filter", "decode", "mean", "std", NULL},
    .notes =
        "Examples:\n"
        "  scarlet latency --space 28px --output latency.csv --plot latency.html\n"
        "  scarlet latency --space default --output int8.csv --opt precision=int8\n",
    .run = run,
};
