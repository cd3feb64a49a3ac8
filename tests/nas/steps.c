/*
 * Trains a network for some steps with 1, 2 and 3 threads: the results must be the same bits.
 *
 *   steps SPACE GENOTYPE CLASSES STEPS name=value,... [WEIGHTS PICTURES TARGETS OUTPUT]
 *
 * WEIGHTS is a checkpoint; PICTURES holds floats [step][micro-batch][picture][side][side][3],
 * TARGETS [step][micro-batch][picture][class]. OUTPUT receives a loss a step, then all tensors of
 * the weights, of their average, and of the first moment. Without files weights are drawn and
 * pictures made up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/open.h"
#include "nas/train/trainer.h"
#include "test.h"

enum { MOST_STEPS = 64 };

static scarlet_error err;

static void must(scarlet_status status, const char *what)
{
    if (status != SCARLET_OK) {
        fprintf(stderr, "%s: %s\n", what, err.message);
        exit(3);
    }
}

static void *allocate(size_t size)
{
    void *memory = calloc(size ? size : 1, 1);
    if (!memory)
        exit(3);
    return memory;
}

typedef struct {
    const scarlet__trainer_settings *settings;
    FILE *pictures, *targets;
} source;

/* Micro-batches of files are read under the file's own lock: by offset. */
static bool read_at(FILE *file, size_t index, float *out, size_t count)
{
    flockfile(file);
    bool ok = fseek(file, (long)(index * count * sizeof *out), SEEK_SET) == 0 &&
              fread(out, sizeof *out, count, file) == count;
    funlockfile(file);
    return ok;
}

static scarlet_status fetch(void *user, int64_t step, int index, float *pictures, float *targets,
                            scarlet_error *error)
{
    const source *from = user;
    const scarlet__trainer_settings *s = from->settings;
    const size_t each = (size_t)s->micro_batch, classes = (size_t)s->network->classes;
    const size_t values = each * (size_t)s->side * (size_t)s->side * 3;
    const size_t number = (size_t)step * (size_t)s->micro_batches + (size_t)index;
    (void)error;
    if (from->pictures)
        return read_at(from->pictures, number, pictures, values) &&
                       read_at(from->targets, number, targets, each * classes)
                   ? SCARLET_OK
                   : SCARLET_ERROR_IO;
    for (size_t i = 0; i < values; i++)
        pictures[i] = (float)((i + number) * 7919 % 1009) / 504.5f - 1;
    for (size_t i = 0; i < each * classes; i++)
        targets[i] = i % classes == (i / classes + number) % classes;
    return SCARLET_OK;
}

static double setting(const char *text, const char *name, double value)
{
    char wanted[40];
    snprintf(wanted, sizeof wanted, "%s=", name);
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++)
        if (at == text || at[-1] == ',')
            return atof(at + strlen(wanted));
    return value;
}

/* All tensors of a state, one after the other. */
static size_t collect(const scarlet__trainer *t, scarlet__state state, float *out)
{
    size_t total = 0;
    for (size_t i = 0; i < scarlet__trainer_tensors(t); i++) {
        scarlet__trainer_tensor tensor = scarlet__trainer_describe(t, i);
        if (state == SCARLET__MOMENT_1 && tensor.statistic)
            continue;
        /* In two parts, as a writer of files reads. */
        const size_t count = (size_t)tensor.count, half = count / 2;
        if (out) {
            scarlet__trainer_read(t, state, i, 0, half, out + total);
            scarlet__trainer_read(t, state, i, (int64_t)half, count - half, out + total + half);
        }
        total += count;
    }
    return total;
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 10)
        return 2;
    scarlet__space space;
    scarlet__genotype genotype;
    scarlet__network network;
    must(scarlet__space_parse(argv[1], &space, &err), "space");
    must(scarlet__genotype_parse(argv[2], &genotype, &err), "genotype");
    must(scarlet__network_build(&space, &genotype, atoi(argv[3]), &network, &err), "network");
    const int steps = atoi(argv[4]);
    const char *text = argv[5];
    const scarlet__style lite = {SCARLET__BLOCK_RELU6, 0.001, true};
    if (setting(text, "lite", 0) > 0)
        scarlet__network_set_style(&network, &lite);
    const scarlet__trainer_settings settings = {
        .network = &network,
        .side = (int)setting(text, "side", 32),
        .micro_batch = (int)setting(text, "micro_batch", 4),
        .micro_batches = (int)setting(text, "micro_batches", 3),
        .isa_max = (int)setting(text, "isa", SCARLET_ISA_ANY),
        .optimizer = (scarlet__optimizer)(int)setting(text, "optimizer", SCARLET__NESTEROV),
        .momentum = setting(text, "momentum", 0.9),
        .beta1 = setting(text, "beta1", 0.9),
        .beta2 = setting(text, "beta2", 0.99),
        .epsilon = setting(text, "epsilon", 1e-8),
        .weight_decay = setting(text, "weight_decay", 1e-3),
        .clip_norm = setting(text, "clip_norm", 0),
        .average_decay = setting(text, "average_decay", 0.3),
        .drop = (float)setting(text, "drop", 0),
        .seed = 5,
        .frozen_layers = (int)setting(text, "frozen_layers", 0),
        .frozen_statistics = setting(text, "frozen_statistics", 0) != 0,
    };
    const double rate = setting(text, "rate", 0.05);
    if (steps < 1 || steps > MOST_STEPS)
        return 2;

    float *first = NULL, losses[MOST_STEPS];
    size_t floats = 0;
    for (unsigned threads = 1; threads <= 3; threads++) {
        scarlet__trainer_settings s = settings;
        scarlet__trainer *t;
        source from = {.settings = &settings};
        s.threads = threads;
        must(scarlet__trainer_create(&s, &t, &err), "create");
        if (argc == 6) {
            scarlet__trainer_initialise(t, 1);
        } else {
            scarlet__source file;
            scarlet__tensors *tensors;
            must(scarlet__source_open(argv[6], &file, &err), "weights");
            must(scarlet__tensors_open(&file, (uint64_t)1 << 30, &tensors, &err), "weights");
            must(scarlet__trainer_load(t, SCARLET__WEIGHTS, tensors, "", &err), "weights");
            scarlet__tensors_free(tensors);
            scarlet__source_close(&file);
            from.pictures = fopen(argv[7], "rb");
            from.targets = fopen(argv[8], "rb");
            if (!from.pictures || !from.targets)
                return 2;
        }
        for (int i = 0; i < steps; i++) {
            double loss;
            must(scarlet__trainer_step(t, fetch, &from, rate, &loss, &err), "step");
            CHECK(threads == 1 || memcmp(&losses[i], &(float){(float)loss}, sizeof *losses) == 0);
            losses[i] = (float)loss;
        }
        CHECK(scarlet__trainer_steps(t) == steps);
        const size_t weights = collect(t, SCARLET__WEIGHTS, NULL);
        floats = 2 * weights + collect(t, SCARLET__MOMENT_1, NULL);
        float *all = allocate(floats * sizeof *all);
        collect(t, SCARLET__WEIGHTS, all);
        collect(t, SCARLET__AVERAGE, all + weights);
        collect(t, SCARLET__MOMENT_1, all + 2 * weights);
        scarlet__trainer_free(t);
        if (from.pictures) {
            fclose(from.pictures);
            fclose(from.targets);
        }
        if (first) {
            CHECK(memcmp(first, all, floats * sizeof *all) == 0);
            free(all);
        } else {
            first = all;
        }
    }
    if (argc == 10) {
        FILE *output = fopen(argv[9], "wb");
        if (!output || fwrite(losses, sizeof *losses, (size_t)steps, output) != (size_t)steps ||
            fwrite(first, sizeof *first, floats, output) != floats || fclose(output) != 0)
            return 2;
    }
    free(first);
    return test_result();
}
