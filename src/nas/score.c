/* scarlet score: what a supernet says about networks of its space. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cells.h"
#include "common/message.h"
#include "common/progress.h"
#include "common/status.h"
#include "csv.h"
#include "nas.h"
#include "super_folder.h"

enum { PATHS = 128, RANDOM, SEED, PART };
enum { RANDOM_MAX = 1000000 };

static const cli_option options[] = {
    {PATHS, "paths", "FILE", "networks: a table with a column genotype"},
    {RANDOM, "random", "N", "score N random networks"},
    {SEED, "seed", "N", "with --random: which ones; default 1"},
    {PART, "part", "validation|test", "pictures to score with; default validation"},
    {SUPER_DATA, "data", "PATH", "where the pictures are now; default: where they were"},
    {'t', "threads", "N", "threads; default 0: all CPUs"},
    {'O', "output", "FILE", "write the table there instead of to standard output"},
    {'q', "quiet", NULL, "no progress bar"},
    {0},
};

static const char *const parts[] = {"validation", "test", NULL};

typedef struct list {
    char **genotype;
    size_t count;
} list;

static void add(list *l, const char *genotype)
{
    l->genotype = cli_grow(l->genotype, l->count, sizeof *l->genotype);
    l->genotype[l->count++] = cli_format("%s", genotype);
}

static void read_paths(list *l, const char *path)
{
    csv table;
    csv_open(&table, path);
    size_t column = csv_column(&table, "genotype");
    for (size_t i = 0; i < table.rows; i++)
        add(l, csv_cell(&table, i, column));
    csv_close(&table);
}

static void draw_paths(list *l, const cli_command *command, const scarlet_space *space,
                       size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        char genotype[SCARLET_GENOTYPE_SIZE];
        scarlet_error err;
        super_must(command,
                   scarlet_space_sample(space, SCARLET_SAMPLING_UNIFORM, seed, i, genotype, &err),
                   &err);
        add(l, genotype);
    }
}

static void score(const cli_command *command, super_folder *s, const list *l, scarlet_part part,
                  FILE *out, bool quiet)
{
    fputs("genotype,cross_entropy,top1,macs,parameters\n", out);
    progress_start(l->count, quiet);
    for (size_t i = 0; i < l->count; i++) {
        scarlet_score found;
        scarlet_error err;
        int64_t macs = 0, parameters = 0;
        scarlet_status status = scarlet_supernet_score(s->net, l->genotype[i], part, &found, &err);
        if (status == SCARLET_OK)
            status = scarlet_space_costs(scarlet_supernet_space(s->net), l->genotype[i], &macs,
                                         &parameters, &err);
        if (status != SCARLET_OK)
            progress_hide();
        super_must(command, status, &err);
        cell_put(out, l->genotype[i]);
        fprintf(out, ",%.9g,%.9g,%" PRId64 ",%" PRId64 "\n", found.cross_entropy, found.top1, macs,
                parameters);
        progress_step(i + 1);
    }
    progress_hide();
}

static int run(const cli_command *command, int argc, char **argv)
{
    const char *paths = NULL;
    scarlet_part part = SCARLET_PART_VALIDATION;
    size_t random = 0;
    uint64_t seed = 1;
    super_options shared = {0};
    bool seeded = false;
    for (int key; (key = cli_next(command, argc, argv)) != CLI_END;) {
        switch (key) {
        case PATHS:
            paths = optarg;
            break;
        case RANDOM:
            random = (size_t)cli_integer(command, "--random", optarg, 1, RANDOM_MAX);
            break;
        case SEED:
            seed = (uint64_t)cli_integer(command, "--seed", optarg, 0, INT64_MAX);
            seeded = true;
            break;
        case PART:
            part = cli_choice(command, "--part", optarg, parts) ? SCARLET_PART_TEST
                                                                : SCARLET_PART_VALIDATION;
            break;
        default:
            super_option(&shared, command, key);
        }
    }
    if (optind + 1 != argc)
        cli_usage(command, "one folder of a supernet is needed");
    if (!paths == !random)
        cli_usage(command, "give --paths or --random");
    if (seeded && !random)
        cli_usage(command, "--seed has no effect without --random");
    list l = {0};
    super_folder s;
    if (paths)
        read_paths(&l, paths);
    super_open(&s, command, argv[optind], &shared);
    if (random)
        draw_paths(&l, command, scarlet_supernet_space(s.net), random, seed);
    FILE *out = shared.output ? fopen(shared.output, "w") : stdout;
    if (!out)
        cli_refuse_errno(shared.output);
    score(command, &s, &l, part, out, shared.quiet);
    if (shared.output) {
        bool failed = ferror(out);
        if (fclose(out) != 0 || failed)
            cli_discard(shared.output);
    }
    super_close(&s);
    for (size_t i = 0; i < l.count; i++)
        free(l.genotype[i]);
    free(l.genotype);
    return DONE;
}

const cli_command cli_nas = {
    .name = "scarlet score",
    .summary =
        "Scores networks of a space with a supernet's weights: batch norm measured for each on\n"
        "training pictures, then cross-entropy and top-1 accuracy on others. Writes a table.",
    .synopsis = "FOLDER --paths FILE|--random N [OPTION]...",
    .options = options,
    .notes =
        "Examples:\n"
        "  scarlet score super --random 3 --output scores.csv\n"
        "  scarlet score super --paths scores.csv --threads 1\n",
    .run = run,
};
