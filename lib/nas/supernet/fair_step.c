#include "nas/supernet/fair_step.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "common/cpu.h"
#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "nas/supernet/let.h"
#include "nas/train/crew.h"

typedef struct outcome {
    double loss, norm; /* mean over the pictures; of the gradient */
} outcome;

struct scarlet__fair_work {
    float *memory;
    size_t bytes;
    float *pictures, *targets;
    scarlet__track *track; /* a thread's */
    int *uses;             /* paths of this step that used each bank */
    uint8_t *shared_uses;  /* and each float of the shared ones; NULL: there are none */
    float *held;           /* with a group: gradients of its own paths, then of another's */
    outcome *outcome;      /* likewise */
    /* The present step. */
    const scarlet__path *path;
    int paths;
    double rate;
    atomic_int next, next_bank;
    pthread_mutex_t lock; /* of `added` */
    pthread_cond_t changed;
    int added; /* whose thread alone touches what follows */
    double loss;
    scarlet_status status;
    scarlet_error error;
};

/* ---- making ---- */

static void lay_out(const scarlet__fair *f, scarlet__carver *arena, scarlet__fair *out)
{
    const scarlet__supernet *s = f->supernet;
    struct scarlet__fair_work *w = f->work;
    const size_t side = (size_t)s->space->input_size, batch = (size_t)f->settings.batch;
    out->weights = scarlet__carve(arena, s->floats);
    out->momentum = scarlet__carve(arena, s->floats);
    out->gradient = scarlet__carve(arena, s->floats);
    size_t lets = 0;
    for (int i = 0; i < s->banks; i++)
        lets += s->bank[i].let ? s->bank[i].floats : 0;
    out->start = scarlet__carve(arena, lets);
    w->pictures = scarlet__carve(arena, batch * side * side * 3);
    w->targets = scarlet__carve(arena, batch * (size_t)s->space->classes);
    for (unsigned i = 0; i < f->settings.threads; i++) {
        scarlet__track *t = &w->track[i];
        scarlet__track_carve(s, f->settings.batch, true, arena, t);
        t->passage.x[0] = t->passage.pictures = w->pictures;
        t->passage.targets = w->targets;
        t->passage.pass.kernels =
            scarlet__training_kernels_for(scarlet__cpu_isa(f->settings.isa_max));
    }
}

static scarlet_status check_batch(const scarlet__supernet *s, int batch, scarlet_error *err)
{
    for (int i = 0; i < s->parts - 1; i++) {
        const scarlet__unit *u = &s->part[i].unit;
        if (!s->part[i].empty && u->kind != SCARLET__UNIT_LET &&
            (int64_t)batch * u->out_side * u->out_side < 2)
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "batch norm needs 2 values a channel: a batch of %d at %d pixels "
                                 "leaves 1",
                                 batch, s->space->input_size);
    }
    return SCARLET_OK;
}

static bool start_let(scarlet__fair *f, const scarlet__bank *bank, uint64_t index, float *start)
{
    const scarlet__parameter *p = &f->supernet->tensor[bank->first];
    const int n = (int)p->shape[0];
    double *matrix = scarlet__alloc((size_t)n * (size_t)n, sizeof *matrix);
    bool ok =
        matrix && scarlet__let_start(f->settings.let_start, n, f->settings.seed, index, matrix);
    for (int64_t i = 0; ok && i < p->count; i++)
        start[scarlet__parameter_place(p, i)] = (float)matrix[i];
    scarlet__free(matrix);
    return ok;
}

static scarlet_status start_weights(scarlet__fair *f, scarlet_error *err)
{
    const scarlet__supernet *s = f->supernet;
    float *start = f->start;
    for (int i = 0; i < s->banks; i++) {
        const scarlet__bank *bank = &s->bank[i];
        float *weights = f->weights + bank->offset;
        if (bank->let) {
            if (!start_let(f, bank, (uint64_t)i, start))
                return scarlet__fail_memory(err);
            memcpy(weights, start, bank->floats * sizeof *weights);
            start += bank->floats;
            continue;
        }
        for (size_t k = bank->first; k < bank->first + bank->count; k++)
            scarlet__parameter_initialise(&s->tensor[k], f->settings.seed, k,
                                          weights + s->tensor[k].offset);
    }
    return SCARLET_OK;
}

scarlet_status scarlet__fair_create(const scarlet__supernet *supernet,
                                    const scarlet__fair_settings *settings, scarlet__fair *out,
                                    scarlet_error *err)
{
    *out = (scarlet__fair){.settings = *settings, .supernet = supernet};
    scarlet_status status = check_batch(supernet, settings->batch, err);
    if (status != SCARLET_OK)
        return status;
    struct scarlet__fair_work *w = out->work = scarlet__calloc(1, sizeof *w);
    if (!w)
        return scarlet__fail_memory(err);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    w->track = scarlet__calloc(settings->threads, sizeof *w->track);
    w->uses = scarlet__calloc((size_t)supernet->banks, sizeof *w->uses);
    const bool shared = supernet->share != SCARLET_SHARE_NONE;
    if (shared)
        w->shared_uses = scarlet__calloc(supernet->floats, sizeof *w->shared_uses);
    if (!w->track || !w->uses || (shared && !w->shared_uses))
        return scarlet__fail_memory(err);
    scarlet__carver arena = {0};
    lay_out(out, &arena, out);
    w->bytes = arena.used * sizeof(float);
    w->memory = scarlet__pages_alloc(w->bytes);
    if (!w->memory)
        return scarlet__fail_memory(err);
    arena = (scarlet__carver){.at = w->memory};
    lay_out(out, &arena, out);
    return start_weights(out, err);
}

void scarlet__fair_free(scarlet__fair *f)
{
    struct scarlet__fair_work *w = f->work;
    if (w) {
        if (w->memory)
            scarlet__pages_free(w->memory, w->bytes);
        pthread_cond_destroy(&w->changed);
        pthread_mutex_destroy(&w->lock);
        scarlet__free(w->track);
        scarlet__free(w->uses);
        scarlet__free(w->shared_uses);
        scarlet__free(w->held);
        scarlet__free(w->outcome);
    }
    scarlet__free(w);
    *f = (scarlet__fair){0};
}

int64_t scarlet__fair_bytes(const scarlet__fair *fair)
{
    return (int64_t)scarlet__pages_size(fair->work->bytes);
}

/* ---- a step ---- */

/* As in a step of the trainer: denormal moments of weights that rest are slow and mean nothing. */
static void flush_denormals(void)
{
#if defined(__x86_64__)
    _mm_setcsr(0x9FC0);
#endif
}

/* Adds a choice's gradient to that of the block that it shares. */
static void add_runs(scarlet__fair *f, const scarlet__part *part, const float *from, float scale)
{
    const size_t offset = f->supernet->bank[part->bank].offset;
    for (size_t i = 0; i < part->runs.count; i++) {
        const scarlet__run *run = &part->runs.run[i];
        float *to = f->gradient + offset + run->in_block;
        uint8_t *uses = f->work->shared_uses + offset + run->in_block;
        for (size_t k = 0; k < run->count; k++) {
            const float value = scale * from[run->at + k];
            to[k] = uses[k]++ == 0 ? value : to[k] + value;
        }
    }
}

/* Adds a path's gradient, scaled, to those of its banks. */
static void add_parts(scarlet__fair *f, int index, const float *from, float scale)
{
    int of_path[SCARLET__NETWORK_LAYERS_MAX];
    const int parts = scarlet__supernet_parts(f->supernet, &f->work->path[index], of_path);
    for (int i = 0; i < parts; i++) {
        const scarlet__part *part = &f->supernet->part[of_path[i]];
        const scarlet__bank *bank = &f->supernet->bank[part->bank];
        float *to = f->gradient + bank->offset;
        const bool first = f->work->uses[part->bank]++ == 0;
        if (bank->shared)
            add_runs(f, part, from, scale);
        else
            for (size_t k = 0; k < part->floats; k++)
                to[k] = first ? scale * from[k] : to[k] + scale * from[k];
        from += part->floats;
    }
}

static scarlet_status not_finite(const scarlet__fair *f, int index, const char *what,
                                 scarlet_error *err)
{
    char genotype[SCARLET_GENOTYPE_SIZE];
    scarlet__path_print(f->supernet->space, &f->work->path[index], f->supernet->let ? "let" : "id",
                        genotype);
    return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                         "step %lld, learning rate %g: %s of %.100s is not finite; a smaller rate "
                         "or clipping may help",
                         (long long)f->steps, f->work->rate, what, genotype);
}

/* Adds a path, all before it having been added. After a failure does nothing. */
static void add(scarlet__fair *f, int index, const float *gradients, const outcome *o)
{
    struct scarlet__fair_work *w = f->work;
    if (w->status == SCARLET_OK && !isfinite(o->loss))
        w->status = not_finite(f, index, "the loss", &w->error);
    else if (w->status == SCARLET_OK && !(o->norm * fabs(w->rate) < 1e30))
        w->status = not_finite(f, index, "the gradient", &w->error);
    if (w->status != SCARLET_OK)
        return;
    const double clip = f->settings.clip_norm;
    w->loss += o->loss;
    add_parts(f, index, gradients, (float)(clip > 0 && o->norm > clip ? clip / o->norm : 1));
}

/* Adds a path when its turn has come. */
static void add_in_turn(scarlet__fair *f, int index, const float *gradients, const outcome *o)
{
    struct scarlet__fair_work *w = f->work;
    pthread_mutex_lock(&w->lock);
    while (w->added < index)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    /* No other thread is here before `added` is raised. */
    add(f, index, gradients, o);
    pthread_mutex_lock(&w->lock);
    w->added++;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static size_t floats_of(const scarlet__fair *f, int index)
{
    int of_path[SCARLET__NETWORK_LAYERS_MAX];
    const int parts = scarlet__supernet_parts(f->supernet, &f->work->path[index], of_path);
    size_t floats = 0;
    for (int i = 0; i < parts; i++)
        floats += f->supernet->part[of_path[i]].floats;
    return floats;
}

/* Forward and backward; the gradient is left in the track. */
static outcome run_path(scarlet__fair *f, int index, scarlet__track *t)
{
    scarlet__track_take(f->supernet, f->weights, &f->work->path[index], t);
    memset(t->gradients, 0, f->supernet->path_floats * sizeof(float));
    const double loss = scarlet__graph_run(&t->graph, &t->passage, 1 / (float)f->settings.batch);
    return (outcome){loss / f->settings.batch,
                     sqrt(scarlet__squares(t->gradients, floats_of(f, index)))};
}

static void take_paths(void *user, unsigned member)
{
    scarlet__fair *f = user;
    struct scarlet__fair_work *w = f->work;
    scarlet__track *t = &w->track[member];
    const scarlet__host host = scarlet__host_enter();
    const int first = f->group ? f->group->rank : 0, stride = f->group ? f->group->size : 1;
    flush_denormals();
    for (int own; (own = atomic_fetch_add(&w->next, 1)) * stride + first < w->paths;) {
        const int index = own * stride + first;
        const outcome o = run_path(f, index, t);
        if (!f->group) {
            add_in_turn(f, index, t->gradients, &o);
            continue;
        }
        w->outcome[own] = o;
        memcpy(w->held + (size_t)own * f->supernet->path_floats, t->gradients,
               floats_of(f, index) * sizeof *w->held);
    }
    scarlet__host_leave(&host);
}

/* Paths that a process runs in a step, at most. */
static int own_most(const scarlet_group *g)
{
    return (SCARLET__PATHS_MAX + g->size - 1) / g->size;
}

/* Memory that only steps of a group need. */
static scarlet_status hold(scarlet__fair *f, scarlet_error *err)
{
    struct scarlet__fair_work *w = f->work;
    const size_t slots = (size_t)own_most(f->group) + 1;
    if (!w->held)
        w->held = scarlet__alloc(slots, f->supernet->path_floats * sizeof *w->held);
    if (!w->outcome)
        w->outcome = scarlet__alloc(slots, sizeof *w->outcome);
    return w->held && w->outcome ? SCARLET_OK : scarlet__fail_memory(err);
}

/* Adds all paths of the group's processes in their order. */
static void exchange(scarlet__fair *f)
{
    struct scarlet__fair_work *w = f->work;
    const scarlet_group *g = f->group;
    const scarlet__host host = scarlet__host_enter();
    flush_denormals();
    for (int i = 0; i < w->paths; i++) {
        const int root = i % g->size;
        const int slot = root == g->rank ? i / g->size : own_most(g);
        float *gradients = w->held + (size_t)slot * f->supernet->path_floats;
        g->broadcast(g->user, &w->outcome[slot], sizeof w->outcome[slot], root);
        g->broadcast(g->user, gradients, floats_of(f, i) * sizeof *gradients, root);
        add(f, i, gradients, &w->outcome[slot]);
    }
    scarlet__host_leave(&host);
}

/* Towards where its LET began. */
static void decay_let(const scarlet__fair *f, const scarlet__bank *bank, float scale)
{
    const float *start = f->start, *weights = f->weights + bank->offset;
    float *gradient = f->gradient + bank->offset;
    for (const scarlet__bank *b = f->supernet->bank; b < bank; b++)
        start += b->let ? b->floats : 0;
    for (size_t i = 0; i < bank->floats; i++)
        gradient[i] = scale * gradient[i] + (float)f->settings.let_decay * (weights[i] - start[i]);
}

/* Some neighbouring floats, which as many paths used. */
static void update_floats(scarlet__fair *f, scarlet__update *update, int uses, size_t at,
                          size_t count)
{
    update->scale = 1.0 / uses;
    scarlet__update_apply(update, count, f->gradient + at, f->weights + at, f->momentum + at, NULL);
}

static void update_shared(scarlet__fair *f, scarlet__update *update, size_t at, size_t count)
{
    const uint8_t *uses = f->work->shared_uses + at;
    for (size_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && uses[i + n] == uses[i];)
            n++;
        if (uses[i])
            update_floats(f, update, uses[i], at + i, n);
    }
}

static void update_bank(scarlet__fair *f, const scarlet__bank *bank, int uses)
{
    const scarlet__fair_settings *s = &f->settings;
    if (bank->let && !s->let_to_zero) {
        decay_let(f, bank, 1 / (float)uses);
        uses = 1;
    }
    for (size_t i = bank->first; i < bank->first + bank->count; i++) {
        const scarlet__parameter *p = &f->supernet->tensor[i];
        const size_t at = bank->offset + p->offset;
        scarlet__update update = {.optimizer = s->nesterov ? SCARLET__NESTEROV : SCARLET__SGD,
                                  .rate = f->work->rate,
                                  .momentum = s->momentum};
        if (bank->let)
            update.weight_decay = s->let_to_zero ? s->let_decay : 0;
        else if (p->role == SCARLET__WEIGHT)
            update.weight_decay = s->weight_decay;
        if (bank->shared)
            update_shared(f, &update, at, p->floats);
        else
            update_floats(f, &update, uses, at, p->floats);
    }
}

static void take_updates(void *user, unsigned member)
{
    scarlet__fair *f = user;
    (void)member;
    const scarlet__host host = scarlet__host_enter();
    flush_denormals();
    for (int i; (i = atomic_fetch_add(&f->work->next_bank, 1)) < f->supernet->banks;)
        if (f->work->uses[i])
            update_bank(f, &f->supernet->bank[i], f->work->uses[i]);
    scarlet__host_leave(&host);
}

/* From the targets of the path that has just run to the probabilities it gave: the gradient of its
 * logits is their difference over the batch, times the picture's weight. */
static void teach(scarlet__fair *f)
{
    const scarlet__track *t = &f->work->track[0];
    const size_t batch = (size_t)f->settings.batch, plane = scarlet__plane(batch);
    const size_t classes = (size_t)f->supernet->space->classes;
    const float *gradient = t->passage.x[t->graph.count];
    float *target = f->work->targets;
    for (size_t i = 0; i < batch; i++)
        for (size_t c = 0; c < classes; c++)
            *target++ +=
                (float)batch *
                gradient[c / SCARLET__LANES * plane + i * SCARLET__LANES + c % SCARLET__LANES];
}

/* Runs the first path, by one thread of the first process, and sets the targets of the others. */
static void run_teacher(scarlet__fair *f)
{
    const scarlet_group *g = f->group;
    struct scarlet__fair_work *w = f->work;
    const int paths = w->paths;
    const bool here = !g || g->rank == 0;
    w->paths = 1;
    if (here) {
        scarlet__crew_run(1, take_paths, f);
        teach(f);
    }
    if (g)
        g->broadcast(g->user, w->targets,
                     (size_t)f->settings.batch * (size_t)f->supernet->space->classes *
                         sizeof *w->targets,
                     0);
    w->paths = paths;
    atomic_store(&w->next, here);
}

scarlet_status scarlet__fair_step(scarlet__fair *f, const scarlet__path *path, int paths,
                                  bool teaching, scarlet__fetch_fn fetch, void *user, double rate,
                                  double *loss, scarlet_error *err)
{
    struct scarlet__fair_work *w = f->work;
    scarlet_status status = f->group ? hold(f, err) : SCARLET_OK;
    if (status == SCARLET_OK)
        status = fetch(user, f->steps, 0, w->pictures, w->targets, err);
    if (status != SCARLET_OK)
        return status;
    w->path = path;
    w->paths = paths;
    w->rate = rate;
    w->added = 0;
    w->loss = 0;
    w->status = SCARLET_OK;
    atomic_store(&w->next, 0);
    atomic_store(&w->next_bank, 0);
    memset(w->uses, 0, (size_t)f->supernet->banks * sizeof *w->uses);
    if (w->shared_uses)
        memset(w->shared_uses, 0, f->supernet->floats * sizeof *w->shared_uses);
    if (teaching)
        run_teacher(f);
    scarlet__crew_run(f->settings.threads, take_paths, f);
    if (f->group)
        exchange(f);
    if (w->status != SCARLET_OK) {
        if (err)
            *err = w->error;
        return w->status;
    }
    scarlet__crew_run(f->settings.threads, take_updates, f);
    f->steps++;
    *loss = w->loss / paths;
    return SCARLET_OK;
}
