/*
 * Trains a supernet for some steps with 1, 2 and 3 threads: the results must be the same bits.
 *
 *   fair_step SPACE TRAINING STEPS name=value,... [OUTPUT]
 *
 * SPACE is a name or file. Prints a line for each tensor, path and loss; OUTPUT receives the
 * tensors before and after, and their momentum.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nas/supernet/deal.h"
#include "nas/supernet/fair_step.h"
#include "test.h"

static scarlet_error err;

static void must(scarlet_status status, const char *what)
{
    if (status != SCARLET_OK) {
        fprintf(stderr, "%s: %s\n", what, err.message);
        exit(3);
    }
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

typedef struct source {
    const scarlet_space *space;
    int batch;
} source;

static scarlet_status fetch(void *user, int64_t step, int index, float *pictures, float *targets,
                            scarlet_error *error)
{
    const source *from = user;
    const size_t side = (size_t)from->space->input_size, batch = (size_t)from->batch;
    const size_t classes = (size_t)from->space->classes;
    (void)error;
    CHECK(index == 0);
    for (size_t i = 0; i < batch * side * side * 3; i++)
        pictures[i] = (float)((i + (size_t)step) * 7919 % 1009) / 504.5f - 1;
    for (size_t i = 0; i < batch * classes; i++)
        targets[i] = i % classes == (i / classes + (size_t)step) % classes;
    return SCARLET_OK;
}

/* Away from the kinks of activations, and with branches that stay small: float32 is then close to
 * float64. */
static void condition(const scarlet__fair *f)
{
    for (int i = 0; i < f->supernet->parts; i++) {
        const scarlet__part *part = &f->supernet->part[i];
        for (size_t k = part->first; k < part->first + part->count; k++) {
            const scarlet__parameter *p = &f->supernet->tensor[k];
            float *values = f->weights + part->offset + p->offset;
            for (int64_t j = 0; j < p->count; j++) {
                float *value = &values[scarlet__parameter_place(p, j)];
                *value += p->role == SCARLET__BETA;
                *value *= strstr(p->name, "bn3") ? 0.2f : 1;
            }
        }
    }
}

static void write_tensors(const scarlet__fair *f, const float *from, FILE *out)
{
    for (int i = 0; i < f->supernet->parts; i++) {
        const scarlet__part *part = &f->supernet->part[i];
        for (size_t k = part->first; k < part->first + part->count; k++) {
            const scarlet__parameter *p = &f->supernet->tensor[k];
            for (int64_t j = 0; j < p->count; j++)
                fwrite(&from[part->offset + p->offset + scarlet__parameter_place(p, j)],
                       sizeof *from, 1, out);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    scarlet_space *space;
    scarlet__supernet supernet;
    must(scarlet_space_load(argv[1], &space, &err), "space");
    const scarlet_training training = (scarlet_training)atoi(argv[2]);
    const int steps = atoi(argv[3]);
    const char *text = argv[4];
    must(scarlet__supernet_make(space, setting(text, "let", 0) != 0, &supernet, &err), "supernet");
    scarlet__fair_settings settings = {
        .batch = (int)setting(text, "batch", 6),
        .isa_max = (int)setting(text, "isa", SCARLET_ISA_ANY),
        .nesterov = setting(text, "nesterov", 0) != 0,
        .momentum = 0.9,
        .weight_decay = 1e-3,
        .clip_norm = setting(text, "clip_norm", 0),
        .let_decay = setting(text, "let_decay", 0),
        .let_to_zero = setting(text, "let_to_zero", 0) != 0,
        .let_start = (scarlet_let_start)(int)setting(text, "let_start", 0),
        .seed = 7,
    };
    source from = {space, settings.batch};
    FILE *out = argc > 5 ? fopen(argv[5], "wb") : NULL;
    float *first = NULL;
    for (settings.threads = 1; settings.threads <= 3; settings.threads++) {
        const bool print = settings.threads == 1;
        scarlet__fair f;
        must(scarlet__fair_create(&supernet, &settings, &f, &err), "create");
        condition(&f);
        if (print && out)
            write_tensors(&f, f.weights, out);
        for (size_t i = 0; print && i < supernet.tensors; i++)
            printf("tensor %s %lld\n", supernet.tensor[i].name,
                   (long long)supernet.tensor[i].count);
        for (int step = 0; step < steps; step++) {
            scarlet__path path[SCARLET__CHOICES_MAX];
            const int paths = scarlet__deal_paths(space, training);
            double loss;
            scarlet__deal(space, training, settings.seed, step, path);
            must(scarlet__fair_step(&f, path, paths, fetch, &from, 0.05, &loss, &err), "step");
            for (int i = 0; print && i < paths; i++) {
                char genotype[SCARLET_GENOTYPE_SIZE];
                scarlet__path_print(space, &path[i], supernet.let ? "let" : "id", genotype);
                printf("path %d %s\n", step, genotype);
            }
            if (print)
                printf("loss %d %.9g\n", step, loss);
        }
        CHECK(f.steps == steps);
        if (print && out) {
            write_tensors(&f, f.weights, out);
            write_tensors(&f, f.momentum, out);
        }
        if (!first && (first = malloc(supernet.floats * sizeof *first)))
            memcpy(first, f.weights, supernet.floats * sizeof *first);
        CHECK(first && memcmp(first, f.weights, supernet.floats * sizeof *first) == 0);
        scarlet__fair_free(&f);
    }
    if (out)
        fclose(out);
    free(first);
    scarlet__supernet_free(&supernet);
    scarlet_space_free(space);
    return test_result();
}
