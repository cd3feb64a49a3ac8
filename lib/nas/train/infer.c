#include "nas/train/infer.h"

#include <math.h>
#include <stdatomic.h>

#include "common/error.h"
#include "common/memory.h"
#include "nas/real.h"
#include "nas/train/crew.h"

/* ---- pictures through a model ---- */

typedef struct {
    scarlet_session *session;
    float *values;
    scarlet_status status;
    scarlet_error error;
} worker;

typedef struct {
    const scarlet__inference *what;
    size_t length;
    worker *workers;
    atomic_size_t next;
    atomic_bool failed;
} job;

static scarlet_status run_one(job *j, worker *w, size_t i, scarlet_error *err)
{
    const scarlet__inference *what = j->what;
    const scarlet_image *image;
    scarlet_status status = scarlet__pictures_take(what->pictures, what->index[i], &image, err);
    if (status != SCARLET_OK)
        return status == SCARLET_ERROR_MEMORY ? status : SCARLET_OK; /* noted as broken */
    size_t input_length;
    float *input = scarlet_session_input(w->session, &input_length);
    status = scarlet_preprocess(image, what->opts, input, input_length, err);
    scarlet__pictures_give_back(what->pictures, what->index[i], image);
    if (status == SCARLET_OK)
        status = scarlet_infer(w->session, input, input_length, 1, w->values, j->length, err);
    if (status == SCARLET_OK)
        what->take(what->user, i, w->values, j->length);
    return status;
}

static void work(void *user, unsigned number)
{
    job *j = user;
    worker *w = &j->workers[number];
    while (!atomic_load(&j->failed)) {
        size_t i = atomic_fetch_add(&j->next, 1);
        if (i >= j->what->count)
            return;
        w->status = run_one(j, w, i, &w->error);
        if (w->status != SCARLET_OK)
            atomic_store(&j->failed, true);
    }
}

static scarlet_status prepare(job *j, unsigned threads, scarlet_error *err)
{
    j->workers = scarlet__calloc(threads, sizeof *j->workers);
    if (!j->workers)
        return scarlet__fail_memory(err);
    for (unsigned i = 0; i < threads; i++) {
        worker *w = &j->workers[i];
        scarlet_status status =
            scarlet_session_create(j->what->model, j->what->opts, &w->session, err);
        if (status != SCARLET_OK)
            return status;
        j->length = (size_t)scarlet_session_get(w->session, SCARLET_INFO_OUTPUT_LENGTH);
        w->values = scarlet__alloc(j->length, sizeof(float));
        if (!w->values)
            return scarlet__fail_memory(err);
    }
    return SCARLET_OK;
}

scarlet_status scarlet__infer(const scarlet__inference *inference, scarlet_error *err)
{
    unsigned threads =
        inference->threads < inference->count ? inference->threads : (unsigned)inference->count;
    if (threads == 0)
        return SCARLET_OK;
    job j = {.what = inference};
    scarlet_status status = prepare(&j, threads, err);
    if (status == SCARLET_OK)
        scarlet__crew_run(threads, work, &j);
    for (unsigned i = 0; j.workers && i < threads; i++) {
        if (status == SCARLET_OK && j.workers[i].status != SCARLET_OK) {
            status = j.workers[i].status;
            if (err)
                *err = j.workers[i].error;
        }
        scarlet_session_free(j.workers[i].session);
        scarlet__free(j.workers[i].values);
    }
    scarlet__free(j.workers);
    return status;
}

/* ---- evaluation ---- */

typedef struct {
    const scarlet_dataset *dataset;
    const uint32_t *index;
    double *loss; /* of each picture; NaN: broken */
    bool *right;
} scoring;

/* Cross-entropy of scores. */
static double loss_of(const float *scores, size_t n, size_t label)
{
    double most = (double)scores[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = (double)scores[i] > most ? (double)scores[i] : most;
    for (size_t i = 0; i < n; i++)
        sum += scarlet__real_exp((double)scores[i] - most);
    return scarlet__real_log(sum) - ((double)scores[label] - most);
}

static void score(void *user, size_t i, const float *values, size_t length)
{
    scoring *s = user;
    size_t label = (size_t)s->dataset->sample[s->index[i]].label;
    scarlet_prediction top;
    scarlet_topk(values, length, 1, &top);
    s->right[i] = (size_t)top.class_id == label;
    s->loss[i] = loss_of(values, length, label);
}

static scarlet_status sum_up(const scoring *s, size_t count, scarlet__evaluation *out,
                             scarlet_error *err)
{
    size_t classes = (size_t)s->dataset->classes, right = 0, present = 0;
    size_t(*tally)[2] = scarlet__calloc(classes, sizeof *tally); /* pictures, right ones */
    if (!tally)
        return scarlet__fail_memory(err);
    double loss = 0, shares = 0;
    *out = (scarlet__evaluation){0};
    for (size_t i = 0; i < count; i++) {
        if (isnan(s->loss[i]))
            continue;
        int32_t label = s->dataset->sample[s->index[i]].label;
        out->count++;
        loss += s->loss[i];
        right += s->right[i];
        tally[label][0]++;
        tally[label][1] += s->right[i];
    }
    for (size_t c = 0; c < classes; c++)
        if (tally[c][0]) {
            present++;
            shares += (double)tally[c][1] / (double)tally[c][0];
        }
    scarlet__free(tally);
    out->top1 = out->count ? (double)right / (double)out->count : NAN;
    out->balanced = present ? shares / (double)present : NAN;
    out->loss = out->count ? loss / (double)out->count : NAN;
    return SCARLET_OK;
}

static scarlet_status run(scarlet_model *model, const scoring *s, size_t count,
                          scarlet__pictures *pictures, unsigned threads, scarlet_error *err)
{
    scarlet_options *opts;
    int64_t side = scarlet_model_get(model, SCARLET_INFO_INPUT_SIZE);
    scarlet_status status = scarlet_model_options(model, &opts, err);
    if (status == SCARLET_OK)
        status = scarlet_options_set(opts, SCARLET_OPT_CROP, side, err);
    const scarlet__inference inference = {
        .model = model,
        .opts = opts,
        .pictures = pictures,
        .index = s->index,
        .count = count,
        .threads = threads,
        .take = score,
        .user = (void *)s,
    };
    if (status == SCARLET_OK)
        status = scarlet__infer(&inference, err);
    scarlet_options_free(opts);
    return status;
}

scarlet_status scarlet__evaluate(scarlet_model *model, const scarlet_dataset *dataset,
                                 scarlet__pictures *pictures, scarlet_part part, unsigned threads,
                                 scarlet__evaluation *out, scarlet_error *err)
{
    size_t count;
    uint32_t *index = scarlet__dataset_part(dataset, part, &count);
    scoring s = {
        .dataset = dataset,
        .index = index,
        .loss = scarlet__alloc(count, sizeof *s.loss),
        .right = scarlet__calloc(count, sizeof *s.right),
    };
    scarlet_status status = index && s.loss && s.right ? SCARLET_OK : scarlet__fail_memory(err);
    for (size_t i = 0; status == SCARLET_OK && i < count; i++)
        s.loss[i] = NAN;
    if (status == SCARLET_OK)
        status = run(model, &s, count, pictures, threads, err);
    if (status == SCARLET_OK)
        status = scarlet__pictures_check(pictures, part, err);
    if (status == SCARLET_OK)
        status = sum_up(&s, count, out, err);
    scarlet__free(index);
    scarlet__free(s.loss);
    scarlet__free(s.right);
    return status;
}
