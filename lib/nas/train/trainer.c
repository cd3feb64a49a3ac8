#include "nas/train/trainer.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "common/cpu.h"
#include "common/error.h"
#include "common/finite.h"
#include "common/host.h"
#include "common/memory.h"
#include "nas/data/random.h"
#include "nas/train/crew.h"
#include "nas/train/graph.h"

enum {
    PIECE = 32768,      /* floats that are updated at a time */
    THREADS_MOST = 256, /* as the option "threads" allows */
    SIDE_MOST = 4096,   /* as the option "input_size" does */
    PICTURES_MOST = 65536,
    MICRO_BATCHES_MOST = 1 << 20 /* micro-batches of a step */
};

static const float running_share = 0.1f; /* of a micro-batch in the running statistics */

/* Part of a parameter. */
typedef struct {
    const scarlet__parameter *parameter;
    size_t offset, floats;
    double squares; /* of the gradient */
    bool overflow;  /* the update led to a value that is not finite */
} piece;

struct scarlet__trainer {
    scarlet__trainer_settings settings;
    scarlet__network network;
    scarlet__parameters parameters;
    scarlet__graph graph;
    size_t trained, state; /* floats: parameters; and with the statistics that follow them */
    size_t frozen;         /* floats of parameters that do not train: the first ones */
    int64_t steps;
    piece *piece; /* of what trains */
    size_t pieces;

    float *memory; /* all of the following */
    size_t bytes;
    float *weights, *average, *gradient; /* parameters and statistics; the gradient's statistics are
                                            the running ones of the step */
    float *moment[2];
    scarlet__passage *passage; /* a thread's */

    /* The present step. */
    scarlet__fetch_fn fetch;
    void *user;
    atomic_int next; /* micro-batch to hand out */
    atomic_size_t next_piece;
    scarlet__update update;
    pthread_mutex_t lock;   /* of what follows */
    pthread_cond_t changed; /* `added` */
    int added;              /* micro-batches whose gradients are in the sum */
    double loss;
    int overflow;          /* first layer whose output is not finite; INT_MAX: none */
    scarlet_status status; /* of the first micro-batch that failed */
    scarlet_error error;
};

/* ---- making ---- */

static scarlet_status check(const scarlet__trainer_settings *s, scarlet_error *err)
{
    if (s->side < 1 || s->side > SIDE_MOST)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "an input of %d pixels: not 1 to %d",
                             s->side, SIDE_MOST);
    if (s->micro_batch < 1 || s->micro_batch > PICTURES_MOST || s->micro_batches < 1 ||
        s->micro_batches > MICRO_BATCHES_MOST)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "%d micro-batches of %d pictures: not 1 to %d of 1 to %d",
                             s->micro_batches, s->micro_batch, MICRO_BATCHES_MOST, PICTURES_MOST);
    if (s->threads < 1 || s->threads > THREADS_MOST)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%u threads: not 1 to %d", s->threads,
                             THREADS_MOST);
    if (!(s->drop >= 0 && s->drop < 1))
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "a share of %g features dropped: not "
                             "from 0 to below 1",
                             (double)s->drop);
    return SCARLET_OK;
}

/* Lays the trainer's memory out; with none yet, to count it. */
static void lay_out(scarlet__trainer *t, scarlet__carver *arena, scarlet__passage *passage)
{
    const scarlet__trainer_settings *s = &t->settings;
    t->weights = scarlet__carve(arena, t->state);
    t->gradient = scarlet__carve(arena, t->state);
    t->average = s->average_decay > 0 ? scarlet__carve(arena, t->state) : NULL;
    t->moment[0] = scarlet__carve(arena, t->trained);
    t->moment[1] = s->optimizer == SCARLET__ADAMW ? scarlet__carve(arena, t->trained) : NULL;
    const scarlet__training_kernels *kernels =
        scarlet__training_kernels_for(scarlet__cpu_isa(s->isa_max));
    for (unsigned i = 0; i < s->threads; i++) {
        scarlet__passage *p = passage ? &passage[i] : &(scarlet__passage){0};
        scarlet__passage_carve(&t->graph, s->drop > 0, arena, p);
        p->pass.kernels = kernels;
        p->pass.parameters = t->weights;
        p->pass.running = t->weights ? t->weights + t->trained : NULL;
        p->pass.gradients = scarlet__carve(arena, t->state);
        p->pass.statistics = p->pass.gradients ? p->pass.gradients + t->trained : NULL;
        p->pass.running_only = s->frozen_statistics;
    }
}

static scarlet_status prepare(scarlet__trainer *t, const scarlet__trainer_settings *settings,
                              scarlet_error *err)
{
    scarlet_status status = check(settings, err);
    if (status != SCARLET_OK)
        return status;
    t->settings = *settings;
    t->network = *settings->network;
    t->settings.network = &t->network;
    if (!scarlet__parameters_list(&t->network, &t->parameters))
        return scarlet__fail_memory(err);
    t->trained = t->parameters.trained;
    t->state = t->trained + t->parameters.statistics;
    scarlet__graph_build(&t->network, &t->parameters, settings->side, settings->micro_batch,
                         settings->frozen_layers, &t->graph);
    if (!settings->frozen_statistics && scarlet__graph_fewest(&t->graph) < 2)
        return scarlet__fail(
            err, SCARLET_ERROR_ARGUMENT,
            "batch norm needs 2 values a channel: a micro-batch of %d at %d pixels "
            "leaves 1",
            settings->micro_batch, settings->side);
    scarlet__carver arena = {0};
    lay_out(t, &arena, NULL);
    t->bytes = arena.used * sizeof(float);
    return SCARLET_OK;
}

/* Cuts what trains into pieces; false if out of memory. */
static bool cut(scarlet__trainer *t)
{
    size_t count = 0;
    t->frozen = t->trained;
    for (int write = 0; write < 2; write++) {
        if (write && !(t->piece = scarlet__calloc(count, sizeof *t->piece)))
            return false;
        count = 0;
        for (size_t i = 0; i < t->parameters.count; i++) {
            const scarlet__parameter *p = &t->parameters.item[i];
            if (scarlet__is_statistic(p) || p->layer < t->settings.frozen_layers)
                continue;
            if (p->offset < t->frozen)
                t->frozen = p->offset;
            for (size_t done = 0; done < p->floats; done += PIECE, count++)
                if (write)
                    t->piece[count] =
                        (piece){.parameter = p,
                                .offset = p->offset + done,
                                .floats = p->floats - done < PIECE ? p->floats - done : PIECE};
        }
    }
    t->pieces = count;
    return true;
}

scarlet_status scarlet__trainer_create(const scarlet__trainer_settings *settings,
                                       scarlet__trainer **out, scarlet_error *err)
{
    *out = NULL;
    scarlet__trainer *t = scarlet__calloc(1, sizeof *t);
    if (!t)
        return scarlet__fail_memory(err);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    scarlet_status status = prepare(t, settings, err);
    if (status == SCARLET_OK) {
        t->passage = scarlet__calloc(settings->threads, sizeof *t->passage);
        t->memory = scarlet__pages_alloc(t->bytes);
        if (!t->passage || !t->memory || !cut(t))
            status = scarlet__fail_memory(err);
    }
    if (status != SCARLET_OK) {
        scarlet__trainer_free(t);
        return status;
    }
    scarlet__carver arena = {.at = t->memory};
    lay_out(t, &arena, t->passage);
    *out = t;
    return SCARLET_OK;
}

void scarlet__trainer_free(scarlet__trainer *t)
{
    if (!t)
        return;
    if (t->memory)
        scarlet__pages_free(t->memory, t->bytes);
    scarlet__parameters_free(&t->parameters);
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
    scarlet__free(t->passage);
    scarlet__free(t->piece);
    scarlet__free(t);
}

int64_t scarlet__trainer_memory(const scarlet__trainer_settings *settings)
{
    scarlet__trainer *t = scarlet__calloc(1, sizeof *t);
    int64_t bytes = -1;
    if (t && prepare(t, settings, NULL) == SCARLET_OK)
        bytes = (int64_t)scarlet__pages_size(t->bytes);
    if (t)
        scarlet__parameters_free(&t->parameters);
    scarlet__free(t);
    return bytes;
}

/* ---- weights ---- */

/* The average begins as what it is to follow. */
static void restart_average(scarlet__trainer *t)
{
    if (t->average)
        memcpy(t->average, t->weights, t->state * sizeof *t->average);
}

static float *tensor(const scarlet__trainer *t, float *state, const scarlet__parameter *p)
{
    return state + (scarlet__is_statistic(p) ? t->trained : 0) + p->offset;
}

void scarlet__trainer_initialise(scarlet__trainer *t, uint64_t seed)
{
    for (size_t i = 0; i < t->parameters.count; i++) {
        const scarlet__parameter *p = &t->parameters.item[i];
        scarlet__parameter_initialise(p, seed, i, tensor(t, t->weights, p));
    }
    restart_average(t);
}

/* ---- a step ---- */

/* Denormal numbers count as 0: they mean nothing here, and moments of weights that rest would decay
 * into them and slow the update down a hundredfold. */
static void flush_denormals(void)
{
#if defined(__x86_64__)
    _mm_setcsr(0x9FC0);
#endif
}

static void fill_drop(const scarlet__trainer *t, int index, float *drop)
{
    const int features = t->network.layer[t->network.count - 1].in;
    const size_t plane = scarlet__plane((size_t)t->settings.micro_batch);
    const float kept = 1 / (1 - t->settings.drop);
    for (int i = 0; i < t->settings.micro_batch; i++) {
        const uint64_t picture = (uint64_t)index * (uint64_t)t->settings.micro_batch + (uint64_t)i;
        scarlet__random random =
            scarlet__random_at(t->settings.seed, SCARLET__RANDOM_DROP, (uint64_t)t->steps, picture);
        for (int c = 0; c < features; c++)
            drop[(size_t)(c / SCARLET__LANES) * plane + (size_t)i * SCARLET__LANES +
                 (size_t)(c % SCARLET__LANES)] =
                scarlet__random_unit(&random) < (double)t->settings.drop ? 0 : kept;
    }
}

/* The layer that made a loss infinite or NaN; INT_MAX if the loss is finite. */
static int overflow_of(const scarlet__graph *graph, const scarlet__passage *p, double loss)
{
    if (isfinite(loss))
        return INT_MAX;
    const int unit = scarlet__graph_first_not_finite(graph, p), last = graph->count - 1;
    return graph->layer[unit < last ? unit : last];
}

/* Adds a micro-batch's gradients to the sum and its statistics to the running ones, when its turn
 * has come. After a failure only counts. */
static void add(scarlet__trainer *t, int index, const scarlet__passage *p, double loss,
                scarlet_status status, const scarlet_error *error)
{
    const int overflow = overflow_of(&t->graph, p, loss);
    const scarlet__pass *pass = &p->pass;
    pthread_mutex_lock(&t->lock);
    while (t->added < index)
        pthread_cond_wait(&t->changed, &t->lock);
    if (t->status == SCARLET_OK && status != SCARLET_OK) {
        t->status = status;
        t->error = *error;
    }
    const bool good = t->status == SCARLET_OK;
    pthread_mutex_unlock(&t->lock);
    /* No other thread is here before `added` is raised. */
    if (good) {
        t->loss += loss;
        if (overflow < t->overflow)
            t->overflow = overflow;
        if (pass->gradients != t->gradient)
            for (size_t i = t->frozen; i < t->trained; i++)
                t->gradient[i] += pass->gradients[i];
        float *running = t->gradient + t->trained;
        for (size_t i = 0; i < t->state - t->trained; i++)
            running[i] += running_share * (pass->statistics[i] - running[i]);
    }
    pthread_mutex_lock(&t->lock);
    t->added++;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

static void take_micro_batches(void *user, unsigned member)
{
    scarlet__trainer *t = user;
    scarlet__passage *p = &t->passage[member];
    const int count = t->settings.micro_batches;
    const float factor = 1.0f / ((float)count * (float)t->settings.micro_batch);
    const scarlet__host host = scarlet__host_enter();
    for (int index; (index = atomic_fetch_add(&t->next, 1)) < count;) {
        scarlet_error error = {0};
        double loss = 0;
        scarlet_status status = t->fetch(t->user, t->steps, index, p->pictures, p->targets, &error);
        if (status == SCARLET_OK) {
            flush_denormals();
            if (p->drop)
                fill_drop(t, index, p->drop);
            /* The first begins the sum; nobody adds to it before. */
            p->pass.gradients = index == 0 ? t->gradient : p->pass.statistics - t->trained;
            memset(p->pass.gradients + t->frozen, 0, (t->trained - t->frozen) * sizeof(float));
            loss = scarlet__graph_run(&t->graph, p, factor);
        }
        add(t, index, p, loss, status, &error);
    }
    scarlet__host_leave(&host);
}

static void take_squares(void *user, unsigned member)
{
    scarlet__trainer *t = user;
    (void)member;
    for (size_t i; (i = atomic_fetch_add(&t->next_piece, 1)) < t->pieces;)
        t->piece[i].squares =
            scarlet__squares(t->gradient + t->piece[i].offset, t->piece[i].floats);
}

/* The first steps leave less of the average: it forgets the random weights that it began as. */
static void average(const scarlet__trainer *t, size_t offset, size_t floats)
{
    const double early = (1.0 + (double)t->steps) / (10.0 + (double)t->steps);
    const float share = (float)(1 - fmin(t->settings.average_decay, early));
    for (size_t i = offset; t->average && i < offset + floats; i++)
        t->average[i] += share * (t->weights[i] - t->average[i]);
}

static void take_updates(void *user, unsigned member)
{
    scarlet__trainer *t = user;
    (void)member;
    const scarlet__host host = scarlet__host_enter();
    flush_denormals();
    for (size_t i; (i = atomic_fetch_add(&t->next_piece, 1)) < t->pieces;) {
        piece *p = &t->piece[i];
        scarlet__update update = t->update;
        if (p->parameter->role != SCARLET__WEIGHT)
            update.weight_decay = 0;
        float *weight = t->weights + p->offset, *moment[2] = {t->moment[0] + p->offset};
        if (t->moment[1])
            moment[1] = t->moment[1] + p->offset;
        scarlet__update_apply(&update, p->floats, t->gradient + p->offset, weight, moment[0],
                              moment[1]);
        p->overflow = scarlet__first_not_finite(weight, p->floats) < p->floats ||
                      scarlet__first_not_finite(moment[0], p->floats) < p->floats ||
                      (moment[1] && scarlet__first_not_finite(moment[1], p->floats) < p->floats);
        average(t, p->offset, p->floats);
    }
    scarlet__host_leave(&host);
}

static scarlet_status not_finite(const scarlet__trainer *t, double rate, int layer,
                                 const char *what, scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                         "step %lld, learning rate %g: %s of layer %s is not finite; a smaller "
                         "rate or clipping may help",
                         (long long)t->steps, rate, what, t->network.layer[layer].name);
}

/* The first layer whose statistics or outputs in the step are not finite; INT_MAX if none. */
static int first_overflow(const scarlet__trainer *t)
{
    for (size_t i = 0; i < t->parameters.count; i++) {
        const scarlet__parameter *p = &t->parameters.item[i];
        if (p->layer >= t->overflow)
            break;
        if (scarlet__is_statistic(p) &&
            scarlet__first_not_finite(t->gradient + t->trained + p->offset, p->floats) < p->floats)
            return p->layer;
    }
    return t->overflow;
}

/* The norm of the step's gradient; an error if anything is not finite. */
static scarlet_status measure(scarlet__trainer *t, double rate, double *norm, scarlet_error *err)
{
    const double far = 1e30; /* so that no weight leaves the range of float32 in the update */
    const int layer = first_overflow(t);
    if (layer != INT_MAX)
        return not_finite(t, rate, layer, "the output", err);
    atomic_store(&t->next_piece, 0);
    scarlet__crew_run(t->settings.threads, take_squares, t);
    double squares = 0;
    size_t largest = 0;
    for (size_t i = t->pieces; i-- > 0;) { /* as gradients go: the last layer is the cause */
        if (!isfinite(t->piece[i].squares))
            return not_finite(t, rate, t->piece[i].parameter->layer, "the gradient", err);
        squares += t->piece[i].squares;
        if (t->piece[i].squares > t->piece[largest].squares)
            largest = i;
    }
    *norm = sqrt(squares);
    if (!(*norm * fabs(rate) < far))
        return not_finite(t, rate, t->piece[largest].parameter->layer, "the update", err);
    return SCARLET_OK;
}

static scarlet_status check_update(const scarlet__trainer *t, double rate, scarlet_error *err)
{
    for (size_t i = 0; i < t->pieces; i++)
        if (t->piece[i].overflow)
            return not_finite(t, rate, t->piece[i].parameter->layer, "a weight", err);
    return SCARLET_OK;
}

scarlet_status scarlet__trainer_step(scarlet__trainer *t, scarlet__fetch_fn fetch, void *user,
                                     double rate, double *loss, scarlet_error *err)
{
    const scarlet__trainer_settings *s = &t->settings;
    t->fetch = fetch;
    t->user = user;
    t->added = 0;
    t->loss = 0;
    t->overflow = INT_MAX;
    t->status = SCARLET_OK;
    atomic_store(&t->next, 0);
    memcpy(t->gradient + t->trained, t->weights + t->trained,
           (t->state - t->trained) * sizeof *t->gradient);
    scarlet__crew_run(s->threads, take_micro_batches, t);
    if (t->status != SCARLET_OK) {
        if (err)
            *err = t->error;
        return t->status;
    }
    double norm;
    scarlet_status status = measure(t, rate, &norm, err);
    if (status != SCARLET_OK)
        return status;

    t->update = (scarlet__update){.optimizer = s->optimizer,
                                  .rate = rate,
                                  .momentum = s->momentum,
                                  .beta1 = s->beta1,
                                  .beta2 = s->beta2,
                                  .epsilon = s->epsilon,
                                  .rest1 = 1 - scarlet__power(s->beta1, t->steps + 1),
                                  .rest2 = 1 - scarlet__power(s->beta2, t->steps + 1),
                                  .weight_decay = s->weight_decay,
                                  .scale = 1};
    if (s->clip_norm > 0 && norm > s->clip_norm)
        t->update.scale = s->clip_norm / norm;
    atomic_store(&t->next_piece, 0);
    scarlet__crew_run(s->threads, take_updates, t);
    status = check_update(t, rate, err);
    if (status != SCARLET_OK)
        return status;
    memcpy(t->weights + t->trained, t->gradient + t->trained,
           (t->state - t->trained) * sizeof *t->weights);
    average(t, t->trained, t->state - t->trained);
    t->steps++;
    if (loss)
        *loss = t->loss / ((double)s->micro_batches * s->micro_batch);
    return SCARLET_OK;
}

int64_t scarlet__trainer_steps(const scarlet__trainer *t)
{
    return t->steps;
}

void scarlet__trainer_set_steps(scarlet__trainer *t, int64_t steps)
{
    t->steps = steps;
}

/* ---- tensors ---- */

static float *state(const scarlet__trainer *t, scarlet__state which)
{
    switch (which) {
    case SCARLET__AVERAGE:
        return t->average ? t->average : t->weights;
    case SCARLET__MOMENT_1:
        return t->moment[0];
    case SCARLET__MOMENT_2:
        return t->moment[1];
    default:
        return t->weights;
    }
}

/* Whether a state holds a tensor. */
static bool held(scarlet__state which, const scarlet__parameter *p)
{
    return which == SCARLET__WEIGHTS || which == SCARLET__AVERAGE || !scarlet__is_statistic(p);
}

size_t scarlet__trainer_tensors(const scarlet__trainer *t)
{
    return t->parameters.count;
}

scarlet__trainer_tensor scarlet__trainer_describe(const scarlet__trainer *t, size_t index)
{
    const scarlet__parameter *p = &t->parameters.item[index];
    scarlet__trainer_tensor tensor = {
        .name = p->name, .rank = p->rank, .count = p->count, .statistic = scarlet__is_statistic(p)};
    memcpy(tensor.shape, p->shape, sizeof tensor.shape);
    return tensor;
}

bool scarlet__trainer_has(const scarlet__trainer *t, scarlet__state which)
{
    return (which != SCARLET__AVERAGE || t->average) && state(t, which) != NULL;
}

void scarlet__trainer_read(const scarlet__trainer *t, scarlet__state which, size_t index,
                           int64_t first, size_t count, float *out)
{
    const scarlet__parameter *p = &t->parameters.item[index];
    const float *from = tensor(t, state(t, which), p);
    for (size_t i = 0; i < count; i++)
        out[i] = from[scarlet__parameter_place(p, first + (int64_t)i)];
}

static scarlet_status load(const scarlet__trainer *t, scarlet__state which,
                           const scarlet__parameter *p, const scarlet__tensors *tensors,
                           const char *prefix, scarlet_error *err)
{
    char name[160];
    snprintf(name, sizeof name, "%s%s", prefix, p->name);
    return scarlet__parameter_load(p, tensors, name, tensor(t, state(t, which), p), err);
}

scarlet_status scarlet__trainer_load(scarlet__trainer *t, scarlet__state which,
                                     const scarlet__tensors *tensors, const char *prefix,
                                     scarlet_error *err)
{
    for (size_t i = 0; i < t->parameters.count; i++) {
        const scarlet__parameter *p = &t->parameters.item[i];
        scarlet_status status =
            held(which, p) ? load(t, which, p, tensors, prefix, err) : SCARLET_OK;
        if (status != SCARLET_OK)
            return status;
    }
    if (which == SCARLET__WEIGHTS)
        restart_average(t);
    return SCARLET_OK;
}
