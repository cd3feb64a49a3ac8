#include "train_score.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cells.h"
#include "common/clock.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/progress.h"
#include "pictures/pipeline.h"
#include "pictures/thumbnail.h"
#include "pictures/workers.h"
#include "verify/predictions.h"

typedef struct item {
    size_t index;
    int32_t label;
    scarlet_status status;
    scarlet_error err;
    answer answer;
} item;

typedef struct scoring {
    const train_data *data;
    scarlet_part part;
    const cli_loaded *model;
    scarlet_session **sessions; /* one per worker */
    float **scores;             /* one array per worker */
    size_t input_length, next, done;
    tally *tally;
    predictions predictions;
} scoring;

static size_t input_length(const cli_loaded *model)
{
    size_t side = (size_t)scarlet_session_get(model->session, SCARLET_INFO_INPUT_SIZE);
    return 3 * side * side;
}

/* ---- a part ---- */

static bool next(void *user, void *slot)
{
    scoring *s = user;
    item *it = slot;
    for (; s->next < s->data->count; s->next++) {
        int32_t label = 0;
        if (train_part(s->data, s->next, &label) != s->part)
            continue;
        *it = (item){.index = s->next++, .label = label};
        return true;
    }
    return false;
}

static scarlet_status ask(const scoring *s, scarlet_session *session, float *scores, size_t index,
                          scarlet_error *err)
{
    scarlet_image *image;
    float *input = scarlet_session_input(session, NULL);
    scarlet_status status = scarlet_dataset_load(s->data->set, index, s->model->opts, &image, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet_preprocess(image, s->model->opts, input, s->input_length, err);
    if (status == SCARLET_OK)
        status = scarlet_infer(session, input, s->input_length, 1, scores, s->data->classes, err);
    scarlet_image_free(image);
    return status;
}

static void work(void *user, size_t worker, void *slot)
{
    const scoring *s = user;
    item *it = slot;
    float *scores = s->scores[worker];
    it->status = ask(s, s->sessions[worker], scores, it->index, &it->err);
    if (it->status == SCARLET_OK)
        it->answer = answer_of(scores, s->data->classes, it->label);
}

static bool done(void *user, void *slot)
{
    scoring *s = user;
    item *it = slot;
    record r = {.index = it->index,
                .file = s->data->name[it->index],
                .label = it->label,
                .error = it->status == SCARLET_OK ? NULL : it->err.message,
                .answer = {it->answer}};
    tally_add(s->tally, &r);
    predictions_add(&s->predictions, &r);
    progress_step(++s->done);
    return true;
}

static void collect_thumbnails(train_score *s, const train_data *d, const cli_loaded *model)
{
    for (size_t i = 0; i < s->tally.worst.count; i++) {
        scarlet_image *image;
        if (scarlet_dataset_load(d->set, s->tally.worst.item[i].index, model->opts, &image, NULL) !=
            SCARLET_OK)
            continue;
        s->thumbnail[i] = html_thumbnail(image);
        scarlet_image_free(image);
    }
}

void score_part(train_score *s, const cli_command *command, const train_data *d, scarlet_part part,
                const cli_loaded *model, const char *lines, bool quiet)
{
    size_t workers = (size_t)scarlet_cpu_count();
    *s = (train_score){.part = part};
    tally_open(&s->tally, d->classes, false);
    scoring run = {.data = d,
                   .part = part,
                   .model = model,
                   .sessions =
                       worker_sessions(command, model->model, model->session, NULL, workers),
                   .scores = cli_alloc(workers, sizeof(float *)),
                   .input_length = input_length(model),
                   .tally = &s->tally};
    for (size_t i = 0; i < workers; i++)
        run.scores[i] = cli_alloc(d->classes, sizeof(float));
    if (lines)
        predictions_open(&run.predictions, lines, s->tally.top, false);
    pipeline p = {.workers = workers,
                  .room = ROOM_PER_WORKER * workers,
                  .size = sizeof(item),
                  .user = &run,
                  .next = next,
                  .work = work,
                  .done = done};
    void *items = p.items = cli_alloc(p.room, p.size);
    progress_start(d->parts[part], quiet);
    pipeline_run(&p);
    progress_hide();
    if (interrupted())
        interrupt_finish();
    predictions_close(&run.predictions);
    collect_thumbnails(s, d, model);
    free(items);
    for (size_t i = 0; i < workers; i++)
        free(run.scores[i]);
    free(run.scores);
    worker_sessions_free(run.sessions, workers);
}

void score_free(train_score *s)
{
    for (size_t i = 0; i < WORST; i++)
        free(s->thumbnail[i]);
    tally_close(&s->tally);
}

/* ---- confusion.csv ---- */

void score_write_confusion(const train_score *s, const train_data *d, const char *path)
{
    const tally *t = &s->tally;
    size_t n = d->classes;
    char number[16];
    int64_t *row = cli_alloc(n, sizeof *row);
    FILE *out = fopen(path, "wb");
    if (!out)
        cli_refuse_errno(path);
    fputs("class", out);
    for (size_t k = 0; k < n; k++) {
        fputc(',', out);
        cell_put(out, train_class(d, (int32_t)k, number));
    }
    fputc('\n', out);
    for (size_t i = 0; i < n; i++) {
        tally_row(t, i, row);
        cell_put(out, train_class(d, (int32_t)i, number));
        for (size_t k = 0; k < n; k++)
            fprintf(out, ",%lld", (long long)row[k]);
        fputc('\n', out);
    }
    free(row);
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        cli_discard(path);
}

/* ---- latency ---- */

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

double score_latency(const train_data *d, const cli_loaded *model)
{
    enum { TIMES = 15 };
    scoring run = {.data = d, .model = model, .input_length = input_length(model)};
    float *scores = cli_alloc(d->classes, sizeof *scores);
    int64_t time[TIMES];
    size_t times = 0;
    for (size_t i = 0; i < d->count && times < TIMES; i++) {
        int64_t start = now_nanos();
        if (ask(&run, model->session, scores, i, NULL) == SCARLET_OK)
            time[times++] = now_nanos() - start;
    }
    free(scores);
    if (times)
        qsort(time, times, sizeof *time, by_time);
    const size_t middle = times / 2;
    return times ? (double)time[middle] * 1e-6 : 0;
}
