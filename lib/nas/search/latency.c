#include "nas/search/latency.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cpu.h"
#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "nas/data/random.h"
#include "nas/search/least_squares.h"
#include "nas/search/random_model.h"

enum { WARM_UPS = 3, RUNS_MIN = 5, RUNS_MAX = 101, ENOUGH_NANOS = 20000000 };

/* ---- timing ---- */

/* A session of the network, and its input filled with noise. */
static scarlet_status prepare(const scarlet_latency *l, const scarlet__path *path,
                              scarlet_session **out, scarlet_error *err)
{
    scarlet__network *network = scarlet__alloc(1, sizeof *network);
    scarlet_model *model = NULL;
    scarlet__output file;
    *out = NULL;
    if (!network)
        return scarlet__fail_memory(err);
    scarlet__path_network(l->space, path, network);
    scarlet__output_memory(&file);
    scarlet_status status = scarlet__random_model(network, l->space->widths_text, &file, err);
    if (status == SCARLET_OK)
        status = scarlet_model_load_memory(file.data, file.size, l->opts, &model, err);
    scarlet__output_abandon(&file);
    scarlet__free(network);
    if (status == SCARLET_OK)
        status = scarlet_session_create(model, l->opts, out, err);
    scarlet_model_free(model);
    if (status != SCARLET_OK)
        return status;
    size_t length;
    float *input = scarlet_session_input(*out, &length);
    scarlet__random noise = scarlet__random_at(0, SCARLET__RANDOM_SAMPLE, 0, 0);
    for (size_t i = 0; i < length; i++)
        input[i] = (float)scarlet__random_between(&noise, -2, 2);
    return SCARLET_OK;
}

static int64_t now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static scarlet_status time_session(scarlet_session *session, int64_t *nanos, scarlet_error *err)
{
    bool alone = scarlet_session_get(session, SCARLET_INFO_THREADS) == 1;
    clockid_t clock = alone ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    size_t length, classes = (size_t)scarlet_session_get(session, SCARLET_INFO_OUTPUT_LENGTH);
    float *input = scarlet_session_input(session, &length);
    float *scores = scarlet__alloc(classes, sizeof *scores);
    scarlet_status status = scores ? SCARLET_OK : scarlet__fail_memory(err);
    int64_t sample[RUNS_MAX], spent = 0;
    int runs = 0;
    for (int i = 0; status == SCARLET_OK && i < WARM_UPS; i++)
        status = scarlet_infer(session, input, length, 1, scores, classes, err);
    while (status == SCARLET_OK && runs < RUNS_MAX && (runs < RUNS_MIN || spent < ENOUGH_NANOS)) {
        int64_t start = now(clock);
        status = scarlet_infer(session, input, length, 1, scores, classes, err);
        sample[runs] = now(clock) - start;
        spent += sample[runs++];
    }
    scarlet__free(scores);
    if (status != SCARLET_OK)
        return status;
    qsort(sample, (size_t)runs, sizeof *sample, ascending);
    *nanos = sample[runs / 2];
    return SCARLET_OK;
}

scarlet_status scarlet_latency_time(const scarlet_latency *l, const char *genotype, int64_t *nanos,
                                    scarlet_error *err)
{
    if (!l || !genotype || !nanos)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "an argument is NULL");
    if (!l->opts)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "latency: read from a file");
    scarlet__path path;
    scarlet_session *session;
    scarlet_status status = scarlet__path_parse(l->space, genotype, &path, err);
    if (status == SCARLET_OK)
        status = prepare(l, &path, &session, err);
    if (status != SCARLET_OK)
        return status;
    status = time_session(session, nanos, err);
    scarlet_session_free(session);
    return status;
}

/* ---- table ---- */

static scarlet_status copy_options(const scarlet_options *opts, int side, scarlet_options **out,
                                   scarlet_error *err)
{
    static const scarlet_option kept[] = {SCARLET_OPT_PRECISION, SCARLET_OPT_ENGINE,
                                          SCARLET_OPT_ISA_MAX, SCARLET_OPT_THREADS};
    *out = scarlet_options_create();
    if (!*out)
        return scarlet__fail_memory(err);
    scarlet_status status = scarlet_options_set(*out, SCARLET_OPT_INPUT_SIZE, side, err);
    for (size_t i = 0; status == SCARLET_OK && opts && i < sizeof kept / sizeof *kept; i++) {
        int64_t value;
        status = scarlet_options_get(opts, kept[i], &value, err);
        if (status == SCARLET_OK)
            status = scarlet_options_set(*out, kept[i], value, err);
    }
    return status;
}

static scarlet_status describe(scarlet_latency *l, scarlet_error *err)
{
    const scarlet__path first = {{0}};
    scarlet_session *session;
    scarlet_status status = prepare(l, &first, &session, err);
    if (status != SCARLET_OK)
        return status;
    size_t room = strlen(l->space->text) + 256;
    l->head = scarlet__alloc(room, 1);
    if (l->head)
        snprintf(l->head, room,
                 "machine %.80s\nisa %s\nengine %s\nthreads %" PRId64 "\nprecision %s\n%s",
                 scarlet__cpu_name(),
                 scarlet_option_value_name(SCARLET_OPT_ISA_MAX,
                                           scarlet_session_get(session, SCARLET_INFO_ISA)),
                 scarlet_option_value_name(SCARLET_OPT_ENGINE,
                                           scarlet_session_get(session, SCARLET_INFO_ENGINE)),
                 scarlet_session_get(session, SCARLET_INFO_THREADS),
                 scarlet_option_value_name(SCARLET_OPT_PRECISION,
                                           scarlet_session_get(session, SCARLET_INFO_PRECISION)),
                 l->space->text);
    scarlet_session_free(session);
    return l->head ? SCARLET_OK : scarlet__fail_memory(err);
}

scarlet_status scarlet_latency_create(const scarlet_space *space, const scarlet_options *opts,
                                      scarlet_latency **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!space)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "space is NULL");
    scarlet_latency *l = scarlet__calloc(1, sizeof *l);
    if (!l)
        return scarlet__fail_memory(err);
    int64_t side = 0;
    scarlet_options_get(opts, SCARLET_OPT_INPUT_SIZE, &side, NULL);
    if (side == 0)
        side = space->input_size;
    scarlet_status status = scarlet__space_copy(space, (int)side, space->classes, &l->space, err);
    if (status == SCARLET_OK)
        status = copy_options(opts, (int)side, &l->opts, err);
    if (status == SCARLET_OK)
        status = describe(l, err);
    if (status == SCARLET_OK)
        *out = l;
    else
        scarlet_latency_free(l);
    return status;
}

void scarlet_latency_free(scarlet_latency *l)
{
    if (!l)
        return;
    scarlet_space_free(l->space);
    scarlet_options_free(l->opts);
    scarlet__free(l->head);
    scarlet__free(l);
}

const char *scarlet_latency_describe(const scarlet_latency *latency)
{
    return latency ? latency->head : NULL;
}

int64_t scarlet__latency_of(const scarlet_latency *l, const scarlet__path *path)
{
    int64_t sum = l->constant;
    for (int i = 0; i < l->space->widths.count; i++)
        sum += l->term[i][path->choice[i]];
    return sum;
}

scarlet_status scarlet_latency_predict(const scarlet_latency *l, const char *genotype,
                                       int64_t *nanos, scarlet_error *err)
{
    if (!l || !genotype || !nanos)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "an argument is NULL");
    if (!l->fitted)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "latency: not fitted yet");
    scarlet__path path;
    scarlet_status status = scarlet__path_parse(l->space, genotype, &path, err);
    if (status == SCARLET_OK)
        *nanos = scarlet__latency_of(l, &path);
    return status;
}

/* ---- fit ---- */

/* Columns of the regression: 0 is the constant, and each choice but the cheapest has its own. */
typedef struct columns {
    size_t count;
    size_t of[SCARLET__SPACE_LAYERS_MAX][SCARLET__CHOICES_MAX]; /* 0: the cheapest */
} columns;

static void number_columns(const scarlet_space *space, columns *c)
{
    c->count = 1;
    for (int i = 0; i < space->widths.count; i++) {
        int cheapest = 0;
        for (int k = 1; k < space->layer[i].count; k++)
            if (scarlet__choice_macs(space, i, k) < scarlet__choice_macs(space, i, cheapest))
                cheapest = k;
        for (int k = 0; k < space->layer[i].count; k++)
            c->of[i][k] = k == cheapest ? 0 : c->count++;
    }
}

/* Adds the equation of one network, both sides divided by its time: relative errors count. */
static void add_equation(const scarlet_space *space, const columns *c, const scarlet__path *path,
                         double nanos, double *gram, double *right)
{
    size_t used[SCARLET__SPACE_LAYERS_MAX + 1], count = 0;
    used[count++] = 0;
    for (int i = 0; i < space->widths.count; i++)
        if (c->of[i][path->choice[i]])
            used[count++] = c->of[i][path->choice[i]];
    for (size_t a = 0; a < count; a++) {
        right[used[a]] += 1 / nanos;
        for (size_t b = 0; b < count; b++)
            gram[used[a] * c->count + used[b]] += 1 / (nanos * nanos);
    }
}

static scarlet_status equations(const scarlet_latency *l, const columns *c,
                                const char *const *genotypes, const int64_t *nanos, size_t count,
                                double *gram, double *right, scarlet_error *err)
{
    for (size_t i = 0; i < count; i++) {
        scarlet__path path;
        if (nanos[i] < 1)
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "network %zu took %" PRId64 " nanoseconds", i, nanos[i]);
        scarlet_status status = scarlet__path_parse(l->space, genotypes[i], &path, err);
        if (status != SCARLET_OK)
            return status;
        add_equation(l->space, c, &path, (double)nanos[i], gram, right);
    }
    return SCARLET_OK;
}

static scarlet_status fit(scarlet_latency *l, const columns *c, const char *const *genotypes,
                          const int64_t *nanos, size_t count, scarlet_error *err)
{
    double *gram = scarlet__calloc(c->count * c->count, sizeof *gram);
    double *right = scarlet__calloc(2 * c->count, sizeof *right), *x = NULL;
    scarlet_status status = gram && right ? SCARLET_OK : scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = equations(l, c, genotypes, nanos, count, gram, right, err);
    if (status == SCARLET_OK) {
        x = right + c->count;
        scarlet__least_squares(gram, right, c->count, x);
        l->constant = llround(x[0]);
        for (int i = 0; i < l->space->widths.count; i++)
            for (int k = 0; k < l->space->layer[i].count; k++)
                l->term[i][k] = c->of[i][k] ? llround(x[c->of[i][k]]) : 0;
        l->fitted = true;
    }
    scarlet__free(gram);
    scarlet__free(right);
    return status;
}

scarlet_status scarlet_latency_fit(scarlet_latency *l, const char *const *genotypes,
                                   const int64_t *nanos, size_t count, scarlet_error *err)
{
    if (!l || !genotypes || !nanos)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "an argument is NULL");
    columns c;
    number_columns(l->space, &c);
    if (count < c.count)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%zu networks for %zu terms", count,
                             c.count);
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = fit(l, &c, genotypes, nanos, count, err);
    scarlet__host_leave(&host);
    return status;
}
