/* scarlet export: networks of a supernet as model files. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/message.h"
#include "common/status.h"
#include "csv.h"
#include "nas.h"
#include "pictures/kind.h"
#include "super_folder.h"

enum { GENOTYPE = 128, FRONT, DROP_LET, STORAGE };

static const cli_option options[] = {
    {GENOTYPE, "genotype", "TEXT", "the network, as scarlet score prints it"},
    {FRONT, "front", "FILE", "all networks of a table, such as pareto.csv of scarlet search"},
    {'O', "output", "PATH",
     "the file to write: a safetensors file, or PyTorch's if it ends in .pth;\n"
     "with --front the folder"},
    {DROP_LET, "drop-let", NULL,
     "leave linear transformations out instead of merging them: another function"},
    {STORAGE, "storage", "f32|f16", "type of convolution and linear weights; default f32"},
    {SUPER_DATA, "data", "PATH", "where the pictures are now; default: where they were"},
    {'t', "threads", "N", "threads; default 0: all CPUs"},
    {'q', "quiet", NULL, "say nothing"},
    {0},
};

typedef struct request {
    const cli_command *command;
    const char *super, *genotype, *front, *storage;
    super_options shared;
    bool drop;
} request;

static void read_request(request *q, int argc, char **argv)
{
    for (int key; (key = cli_next(q->command, argc, argv)) != CLI_END;) {
        switch (key) {
        case GENOTYPE:
            q->genotype = optarg;
            break;
        case FRONT:
            q->front = optarg;
            break;
        case DROP_LET:
            q->drop = true;
            break;
        case STORAGE:
            q->storage = optarg;
            break;
        default:
            super_option(&q->shared, q->command, key);
        }
    }
    if (optind + 1 != argc)
        cli_usage(q->command, "one folder of a supernet is needed");
    if (q->genotype && q->front)
        cli_usage(q->command, "--genotype and --front exclude each other");
    if (!q->genotype && !q->front)
        cli_usage(q->command, "no --genotype and no --front");
    if (!q->shared.output)
        cli_usage(q->command, "no --output");
    q->super = argv[optind];
}

static void export_one(const request *q, super_folder *s, const scarlet_options *opts,
                       const char *genotype, const char *path)
{
    double difference;
    scarlet_error err;
    super_must(q->command,
               scarlet_supernet_export(s->net, genotype, path, q->drop, opts, &difference, &err),
               &err);
    if (q->shared.quiet)
        return;
    cli_put(stdout, path);
    if (q->front)
        printf(": %s", genotype);
    printf(": written; logits differ from the supernet's by %.1e of the largest%s\n", difference,
           q->drop ? "; linear transformations were left out" : "");
    fflush(stdout);
}

/* Files 01.safetensors and so on, in the order of the table. A folder that exists is fine: what an
 * interrupted export has left is written again. */
static void export_front(const request *q, super_folder *s, const scarlet_options *opts,
                         const csv *front)
{
    const size_t column = csv_column(front, "genotype");
    if (!front->rows)
        cli_refuse(q->front, "no network");
    if (mkdir(q->shared.output, 0777) != 0 && (errno != EEXIST || !is_folder(q->shared.output)))
        cli_refuse_errno(q->shared.output);
    for (size_t i = 0; i < front->rows; i++) {
        char *path = cli_format("%s/%02zu.safetensors", q->shared.output, i + 1);
        export_one(q, s, opts, csv_cell(front, i, column), path);
        free(path);
    }
}

static int run(const cli_command *command, int argc, char **argv)
{
    request q = {.command = command, .storage = "f32"};
    read_request(&q, argc, argv);
    scarlet_error err;
    scarlet_options *opts = scarlet_options_create();
    if (!opts)
        cli_out_of_memory();
    char *text = cli_format("storage=%s", q.storage);
    super_must(command, scarlet_options_parse(opts, text, &err), &err);
    csv front = {0};
    if (q.front)
        csv_open(&front, q.front);
    super_folder s;
    super_open(&s, command, q.super, &q.shared);
    if (q.front) {
        export_front(&q, &s, opts, &front);
        csv_close(&front);
    } else {
        export_one(&q, &s, opts, q.genotype, q.shared.output);
    }
    super_close(&s);
    scarlet_options_free(opts);
    free(text);
    return DONE;
}

const cli_command cli_nas = {
    .name = "scarlet export",
    .summary =
        "Writes a network of a supernet as a model file of its own, with the supernet's weights,\n"
        "and proves that it computes the same.",
    .synopsis =
        "SUPER --genotype TEXT --output FILE [OPTION]...\nSUPER --front TABLE --output FOLDER "
        "[OPTION]...",
    .options = options,
    .notes =
        "Examples:\n"
        "  scarlet export super --genotype e3k3,id,e6k5se --output child.safetensors\n"
        "  scarlet export super --genotype e3k3,id,e6k5se --output child.pth\n"
        "  scarlet export super --front found/pareto.csv --output children --storage f16\n",
    .run = run,
};
