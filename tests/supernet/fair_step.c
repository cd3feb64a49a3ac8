/*
 * Trains a supernet for some steps with 1, 2 and 3 threads, and as 1, 2, 3 and 16 processes: the
 * results must be the same bits. Here, processes are threads that exchange copies.
 *
 *   fair_step SPACE TRAINING STEPS name=value,... [OUTPUT]
 *
 * SPACE is a name or file. Prints a line for each tensor, path and loss; OUTPUT receives the
 * tensors before and after, and their momentum.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nas/supernet/deal.h"
#include "nas/supernet/fair_step.h"
#include "test.h"

static void must(scarlet_status status, const scarlet_error *err, const char *what)
{
    if (status != SCARLET_OK) {
        fprintf(stderr, "%s: %s\n", what, err->message);
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
    if (index != 0)
        return SCARLET_ERROR_ARGUMENT;
    (void)error;
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
    for (int i = 0; i < f->supernet->banks; i++) {
        const scarlet__bank *bank = &f->supernet->bank[i];
        for (size_t k = bank->first; k < bank->first + bank->count; k++) {
            const scarlet__parameter *p = &f->supernet->tensor[k];
            float *values = f->weights + bank->offset + p->offset;
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
    for (int i = 0; i < f->supernet->banks; i++) {
        const scarlet__bank *bank = &f->supernet->bank[i];
        for (size_t k = bank->first; k < bank->first + bank->count; k++) {
            const scarlet__parameter *p = &f->supernet->tensor[k];
            for (int64_t j = 0; j < p->count; j++)
                fwrite(&from[bank->offset + p->offset + scarlet__parameter_place(p, j)],
                       sizeof *from, 1, out);
        }
    }
}

/* ---- training ---- */

typedef struct task {
    const scarlet__supernet *supernet;
    scarlet__fair_settings settings;
    scarlet_training training;
    int steps;
    bool teach;     /* the largest path */
    FILE *out;      /* NULL: prints nothing */
    float *weights; /* receives them, if there are none yet; else they are compared */
    bool same;
    scarlet_group *group; /* NULL: none */
} task;

static void train(task *t)
{
    const scarlet_space *space = t->supernet->space;
    source from = {space, t->settings.batch};
    scarlet_error error;
    scarlet__fair f;
    must(scarlet__fair_create(t->supernet, &t->settings, &f, &error), &error, "create");
    condition(&f);
    f.group = t->group;
    if (t->out)
        write_tensors(&f, f.weights, t->out);
    for (int step = 0; step < t->steps; step++) {
        scarlet__path path[SCARLET__PATHS_MAX];
        const int paths = scarlet__deal_paths(space, t->training) + t->teach;
        double loss;
        scarlet__largest_path(space, &path[0]);
        scarlet__deal(space, t->training, t->settings.seed, step, path + t->teach);
        must(scarlet__fair_step(&f, path, paths, t->teach, fetch, &from, 0.05, &loss, &error),
             &error, "step");
        for (int i = 0; t->out && i < paths; i++) {
            char genotype[SCARLET_GENOTYPE_SIZE];
            scarlet__path_print(space, &path[i], t->supernet->let ? "let" : "id", genotype);
            printf("path %d %s\n", step, genotype);
        }
        if (t->out)
            printf("loss %d %.9g\n", step, loss);
    }
    if (t->out) {
        write_tensors(&f, f.weights, t->out);
        write_tensors(&f, f.momentum, t->out);
    }
    const size_t bytes = t->supernet->floats * sizeof *f.weights;
    if (!t->weights && (t->weights = malloc(bytes)))
        memcpy(t->weights, f.weights, bytes);
    t->same = t->weights && f.steps == t->steps && memcmp(t->weights, f.weights, bytes) == 0;
    scarlet__fair_free(&f);
}

/* ---- processes ---- */

enum { PROCESSES = 16 };

typedef struct meeting {
    pthread_barrier_t barrier;
    const void *of[PROCESSES]; /* what each process sends */
} meeting;

typedef struct process {
    pthread_t thread;
    meeting *at;
    scarlet_group group;
    task task;
} process;

static void gather(void *user, const void *data, size_t bytes, void *out)
{
    const process *p = user;
    p->at->of[p->group.rank] = data;
    pthread_barrier_wait(&p->at->barrier);
    for (int i = 0; i < p->group.size; i++)
        memcpy((char *)out + (size_t)i * bytes, p->at->of[i], bytes);
    pthread_barrier_wait(&p->at->barrier);
}

static void broadcast(void *user, void *data, size_t bytes, int32_t root)
{
    const process *p = user;
    p->at->of[p->group.rank] = data;
    pthread_barrier_wait(&p->at->barrier);
    if (p->group.rank != root)
        memcpy(data, p->at->of[root], bytes);
    pthread_barrier_wait(&p->at->barrier);
}

static void *train_apart(void *user)
{
    train(&((process *)user)->task);
    return NULL;
}

static void train_together(const task *t, int size)
{
    static process all[PROCESSES];
    meeting at;
    pthread_barrier_init(&at.barrier, NULL, (unsigned)size);
    for (int i = 0; i < size; i++) {
        all[i] = (process){.at = &at, .task = *t};
        all[i].group = (scarlet_group){i, size, &all[i], broadcast, gather};
        all[i].task.group = &all[i].group;
        pthread_create(&all[i].thread, NULL, train_apart, &all[i]);
    }
    for (int i = 0; i < size; i++) {
        pthread_join(all[i].thread, NULL);
        CHECK(all[i].task.same);
    }
    pthread_barrier_destroy(&at.barrier);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    scarlet_space *space;
    scarlet__supernet supernet;
    scarlet_error err;
    must(scarlet_space_load(argv[1], &space, &err), &err, "space");
    const char *text = argv[4];
    must(scarlet__supernet_make(space, setting(text, "let", 0) != 0,
                                (scarlet_share)(int)setting(text, "share", 0), &supernet, &err),
         &err, "supernet");
    task t = {
        .supernet = &supernet,
        .training = (scarlet_training)atoi(argv[2]),
        .steps = atoi(argv[3]),
        .teach = setting(text, "teach", 0) != 0,
        .out = fopen(argc > 5 ? argv[5] : "/dev/null", "wb"),
        .settings =
            {
                .batch = (int)setting(text, "batch", 6),
                .threads = 1,
                .isa_max = (int)setting(text, "isa", SCARLET_ISA_ANY),
                .nesterov = setting(text, "nesterov", 0) != 0,
                .momentum = 0.9,
                .weight_decay = 1e-3,
                .clip_norm = setting(text, "clip_norm", 0),
                .let_decay = setting(text, "let_decay", 0),
                .let_to_zero = setting(text, "let_to_zero", 0) != 0,
                .let_start = (scarlet_let_start)(int)setting(text, "let_start", 0),
                .seed = 7,
            },
    };
    for (size_t i = 0; i < supernet.tensors; i++)
        printf("tensor %s %lld\n", supernet.tensor[i].name, (long long)supernet.tensor[i].count);
    if (!t.out)
        return 3;
    for (; t.settings.threads <= 3; t.settings.threads++) {
        train(&t);
        CHECK(t.same);
        if (t.out)
            fclose(t.out);
        t.out = NULL;
    }
    t.settings.threads = 2;
    train_together(&t, 1);
    train_together(&t, 2);
    t.settings.threads = 1;
    train_together(&t, 3);
    train_together(&t, PROCESSES); /* more than there are paths */
    free(t.weights);
    scarlet__supernet_free(&supernet);
    scarlet_space_free(space);
    return test_result();
}
