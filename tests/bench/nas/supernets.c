/* Supernets: how identities and paths are treated, crossed; each scores every network. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PASSES = 30000, /* of a batch each, at least; 39,000 for 13 choices */
    PASSES_13 = 39000,
    SKIPS = 3,
    TRAININGS = 4,
    CELLS = SKIPS * TRAININGS,
    WATCHED = 27, /* networks that show the course */
    LOOKS = 5
};

typedef struct cell {
    char name[32];
    scarlet_supernet_settings settings;
} cell;

static cell cell_at(int index)
{
    static const char *const skip[] = {"identity", "let-identity", "let-random"};
    static const char *const training[] = {"fair", "depths", "uniform", "uniform-many"};
    static const scarlet_training value[] = {SCARLET_TRAINING_FAIR, SCARLET_TRAINING_DEPTHS,
                                             SCARLET_TRAINING_UNIFORM,
                                             SCARLET_TRAINING_UNIFORM_MANY};
    const int s = index / TRAININGS, t = index % TRAININGS;
    cell c = {.settings = {.training = value[t],
                           .let = s > 0,
                           .let_start = s == 2 ? SCARLET_LET_RANDOM : SCARLET_LET_IDENTITY}};
    snprintf(c.name, sizeof c.name, "%s,%s", skip[s], training[t]);
    return c;
}

/* A supernet in the making. */
typedef struct job {
    const task *task;
    const networks *networks;
    const pictures *pictures;
    journal *scores, *course;
    char name[64]; /* the first cells of its rows: skip, training, seed */
    char path[4096];
    scarlet_supernet *net;
} job;

/* Most choices that a layer has. */
static int most_choices(const networks *n)
{
    int most = 1, here = 1;
    for (const char *p = strstr(scarlet_space_text(n->space), "\nchoices ") + 9; *p && *p != '\n';
         p++) {
        here = *p == ',' ? 1 : here + (*p == '|') + 11 * (*p == '*');
        most = here > most ? here : most;
    }
    return most;
}

static void create(job *j, const cell *c, int seed)
{
    scarlet_error err;
    if (access(j->path, F_OK) == 0) {
        must(scarlet_supernet_load(j->path, j->pictures->dataset, 1, &j->net, &err), &err);
        return;
    }
    scarlet_train_options *opts = scarlet_supernet_options();
    if (!opts)
        fail("no memory");
    const int most = most_choices(j->networks), passes = most == 13 ? PASSES_13 : PASSES;
    const int paths = c->settings.training == SCARLET_TRAINING_UNIFORM ? 1 : most;
    int64_t per_epoch = j->task->pictures ? j->task->pictures / 64 : 468;
    int64_t each = per_epoch * paths, epochs = (passes + each - 1) / each;
    set_protocol(opts, j->task->epochs ? j->task->epochs : (int)epochs, seed);
    must(scarlet_train_options_set(opts, "clip-grad", "5", &err), &err);
    must(scarlet_supernet_create(j->networks->space, j->pictures->dataset, &c->settings, opts,
                                 &j->net, &err),
         &err);
    scarlet_train_options_free(opts);
}

/* Scores of some networks on the spare pictures while the training goes on. */
static void watch(job *j, int look)
{
    const networks *n = j->networks;
    for (int i = 0; i < WATCHED && i < n->count; i++) {
        char key[128];
        int index = networks_at(n, i);
        snprintf(key, sizeof key, "%s,%d,%d", j->name, look, index);
        if (journal_has(j->course, key))
            continue;
        scarlet_score found;
        scarlet_error err;
        must(scarlet_supernet_score(j->net, n->item[index], SCARLET_PART_TEST, &found, &err), &err);
        journal_add(j->course, key, "%.0f,%.9g,%.9g",
                    scarlet_supernet_get(j->net, SCARLET_SUPERNET_STEP), found.cross_entropy,
                    found.top1);
    }
}

static void train(job *j)
{
    scarlet_error err;
    double steps = scarlet_supernet_get(j->net, SCARLET_SUPERNET_STEPS);
    for (double step; (step = scarlet_supernet_get(j->net, SCARLET_SUPERNET_STEP)) < steps;) {
        must(scarlet_supernet_step(j->net, &err), &err);
        int before = (int)(step * LOOKS / steps), now = (int)((step + 1) * LOOKS / steps);
        if (now > before)
            watch(j, now);
        if (now > before || (int64_t)(step + 1) % 1000 == 0)
            must(scarlet_supernet_write(j->net, j->path, &err), &err);
    }
}

static void score(job *j)
{
    const networks *n = j->networks;
    for (int index = 0; index < n->count; index++) {
        char key[128];
        snprintf(key, sizeof key, "%s,%d", j->name, index);
        if (journal_has(j->scores, key))
            continue;
        scarlet_score found;
        scarlet_error err;
        must(scarlet_supernet_score(j->net, n->item[index], SCARLET_PART_VALIDATION, &found, &err),
             &err);
        journal_add(j->scores, key, "\"%s\",%.9g,%.9g", n->item[index], found.cross_entropy,
                    found.top1);
    }
}

static bool complete(const job *j)
{
    char key[128];
    snprintf(key, sizeof key, "%s,%d", j->name, j->networks->count - 1); /* the last one scored */
    return journal_has(j->scores, key);
}

/* FOLDER/super-SPACE-SKIP-TRAINING-SEED.safetensors */
static void name_file(job *j)
{
    char name[sizeof j->name];
    snprintf(name, sizeof name, "%s", j->name);
    for (char *p = name; *p; p++)
        *p = *p == ',' ? '-' : *p;
    snprintf(j->path, sizeof j->path, "%s/super-%s-%s.safetensors", j->task->folder, j->task->space,
             name);
}

void supernets(const task *t)
{
    networks n;
    pictures p;
    journal scores, course;
    journal_open(&scores, t, "scores", 4, "skip,training,seed,index,genotype,cross_entropy,top1");
    journal_open(&course, t, "course", 5, "skip,training,seed,look,index,step,cross_entropy,top1");
    networks_load(&n, t->space);
    pictures_load(&p, t->data, t->pictures, PROBE_SPARE);
    int done = 0;
    for (int seed = t->first_seed; seed <= t->last_seed; seed++)
        for (int i = 0; i < CELLS; i++) {
            const cell c = cell_at(i);
            job j = {t, &n, &p, &scores, &course, .net = NULL};
            snprintf(j.name, sizeof j.name, "%s,%d", c.name, seed);
            name_file(&j);
            if (((seed - 1) * CELLS + i) % t->shards != t->shard || complete(&j) ||
                (t->most && done == t->most))
                continue;
            create(&j, &c, seed);
            train(&j);
            score(&j);
            scarlet_supernet_free(j.net);
            done++;
        }
    pictures_free(&p);
    networks_free(&n);
    journal_close(&scores);
    journal_close(&course);
}
