#include "evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/progress.h"
#include "common/status.h"
#include "pictures/member_classes.h"
#include "pictures/pipeline.h"

typedef struct item {
    cli_picture picture;
    scarlet_status status;
    scarlet_error err;
    answer answer[2];
} item;

/* ---- which pictures ---- */

static bool wanted(const void *user, size_t index)
{
    const evaluation *e = user;
    return index % e->shards == e->shard && index / e->shards >= e->resumed;
}

/* Labels in the order of the ILSVRC2012 development kit differ from those of every model: that is
 * said once. */
static void check_known(evaluation *e, const cli_picture *picture)
{
    size_t number = e->known ? validation_number(picture->name) : 0;
    if (e->contradicted || !number || number > e->known->lines || picture->label == NO_LABEL ||
        picture->label == e->known->by_line[number - 1])
        return;
    e->contradicted = true;
    cli_error(
        "%s: labelled as class %lld, but known to be class %lld of ILSVRC2012; are these "
        "labels the development kit's numbers?",
        picture->name, (long long)picture->label, (long long)e->known->by_line[number - 1]);
}

static void set_label(evaluation *e, cli_picture *picture)
{
    if (picture->class_name && e->rules)
        picture->label = class_of_name(&e->rules->classes, picture->class_name);
    else if (picture->label == NO_LABEL && picture->member && e->rules)
        picture->label = class_of_member(e->rules, picture->name + picture->member);
    if (picture->label < 0)
        picture->label = truth_of(&e->truth, picture->name, picture->index);
    check_known(e, picture);
}

/* The next picture of this shard, with its label. */
static bool next(void *user, void *slot)
{
    evaluation *e = user;
    cli_picture *picture = &((item *)slot)->picture;
    do {
        cli_picture_free(picture);
        if (!feed_next(&e->feed, picture))
            return false;
    } while (picture->index % e->shards != e->shard);
    set_label(e, picture);
    return true;
}

/* ---- one picture, on a worker's thread ---- */

static scarlet_status check_label(const evaluation *e, item *it)
{
    const char *name = it->picture.name;
    size_t classes = e->model[0].classes;
    if (it->picture.error || (it->picture.label >= 0 && (size_t)it->picture.label < classes))
        return SCARLET_OK;
    if (it->picture.class_name && e->rules)
        snprintf(it->err.message, sizeof it->err.message, "%s: its class \"%.100s\" is %s", name,
                 it->picture.class_name,
                 it->picture.label == SEVERAL_CLASSES ? "the name of several"
                                                      : "not one of the model's");
    else if (it->picture.label == NO_LABEL)
        snprintf(it->err.message, sizeof it->err.message,
                 "%s: no class known for it%s: see --truth", name,
                 it->picture.member && e->rules ? ", and no folder of it is one of the model" : "");
    else
        snprintf(it->err.message, sizeof it->err.message,
                 "%s: label %lld, but the model has %zu classes", name,
                 (long long)it->picture.label, classes);
    it->err.status = SCARLET_ERROR_ARGUMENT;
    return SCARLET_ERROR_ARGUMENT;
}

static scarlet_status ask(const contender *c, size_t worker, const scarlet_image *image,
                          float *scores, item *it, answer *out)
{
    scarlet_session *session = c->sessions[worker];
    float *input = scarlet_session_input(session, NULL);
    scarlet_status status =
        scarlet_preprocess(image, c->loaded.opts, input, c->input_length, &it->err);
    if (status == SCARLET_OK)
        status = scarlet_infer(session, input, c->input_length, 1, scores, c->classes, &it->err);
    if (status != SCARLET_OK)
        return status;
    *out = answer_of(scores, c->classes, it->picture.label);
    return SCARLET_OK;
}

/* Do both decode a file to the same picture? */
static bool same_decoding(const scarlet_options *a, const scarlet_options *b)
{
    static const scarlet_option keys[] = {SCARLET_OPT_MAX_PIXELS, SCARLET_OPT_AUTO_ORIENT,
                                          SCARLET_OPT_DECODE, SCARLET_OPT_CROP, SCARLET_OPT_RESIZE};
    enum { FOR_FAST_ONLY = 2, KEYS = sizeof keys / sizeof *keys };
    int64_t decode;
    scarlet_options_get(a, SCARLET_OPT_DECODE, &decode, NULL);
    size_t count = decode == SCARLET_DECODE_FAST ? KEYS : KEYS - FOR_FAST_ONLY;
    for (size_t i = 0; i < count; i++) {
        int64_t x, y;
        scarlet_options_get(a, keys[i], &x, NULL);
        scarlet_options_get(b, keys[i], &y, NULL);
        if (x != y)
            return false;
    }
    return true;
}

static void work(void *user, size_t worker, void *slot)
{
    const evaluation *e = user;
    item *it = slot;
    scarlet_image *image = NULL;
    it->status = check_label(e, it);
    for (size_t i = 0; i < e->models && it->status == SCARLET_OK; i++) {
        const contender *c = &e->model[i];
        if (i == 0 || !same_decoding(c->loaded.opts, e->model[i - 1].loaded.opts)) {
            scarlet_image_free(image);
            it->status = cli_load(&it->picture, c->loaded.opts, &image, &it->err);
        }
        if (it->status == SCARLET_OK)
            it->status = ask(c, worker, image, e->scores[worker], it, &it->answer[i]);
    }
    scarlet_image_free(image);
}

/* ---- what becomes of it, in order ---- */

static void count(evaluation *e, const record *r)
{
    tally_add(&e->result->tally, r);
    predictions_add(&e->predictions, r);
    tally *t = &e->result->tally;
    progress_step((size_t)(t->total + t->failed));
}

static bool done(void *user, void *slot)
{
    evaluation *e = user;
    const item *it = slot;
    tally *t = &e->result->tally;
    if (it->status != SCARLET_OK)
        cli_error("%s", it->err.message);
    e->stopped = it->status != SCARLET_OK && !e->skip_failures;
    if (e->stopped)
        return false;
    record r = {it->picture.index,
                it->picture.name,
                it->picture.label,
                it->status == SCARLET_OK ? NULL : (char *)(uintptr_t)it->err.message,
                {it->answer[0], it->answer[1]}};
    if (e->journal)
        journal_add(e->journal, &r, t->top, t->two);
    count(e, &r);
    e->result->timed++;
    return true;
}

/* Counts what the journal already contains. The data must not have changed. */
static void replay(evaluation *e)
{
    tally *t = &e->result->tally;
    record r;
    item it = {0};
    while (journal_read(e->journal, &r, t->top, t->two)) {
        const char *file = next(e, &it) ? it.picture.name : "nothing more";
        if (strcmp(file, r.file) != 0 || it.picture.index != r.index ||
            it.picture.label != r.label ||
            (!r.error && (r.label < 0 || r.label >= (int64_t)t->classes))) {
            cli_error(
                "the data have changed since the journal was written: it has %s with label %lld "
                "where there is now %s with label %lld",
                r.file, (long long)r.label, file, (long long)it.picture.label);
            exit(INPUT_FAILED);
        }
        count(e, &r);
    }
    cli_picture_free(&it.picture);
}

/* ---- all ---- */

bool evaluate(evaluation *e)
{
    pipeline p = {.workers = e->workers,
                  .room = ROOM_PER_WORKER * e->workers,
                  .size = sizeof(item),
                  .user = e,
                  .next = next,
                  .work = work,
                  .done = done};
    e->feed = (feed){.inputs = e->inputs, .wanted = wanted, .user = e};
    e->resumed = e->journal ? journal_records(e->journal) : 0;
    e->scores = cli_alloc(p.workers, sizeof(float *));
    for (size_t i = 0; i < p.workers; i++)
        e->scores[i] = cli_alloc(e->model[0].classes, sizeof(float));
    size_t total = e->inputs->count;
    size_t own = total / e->shards + (e->shard < total % e->shards);
    item *items = p.items = cli_alloc(p.room, p.size);

    progress_start(e->inputs->archives ? 0 : own, e->quiet);
    if (e->journal)
        replay(e);
    int64_t start = now_nanos();
    pipeline_run(&p);
    e->result->seconds = (double)(now_nanos() - start) * 1e-9;
    e->result->complete = !e->stopped && !interrupted();
    progress_hide();
    if (interrupted())
        return true; /* workers may still be running: nothing is freed */
    feed_close(&e->feed);
    for (size_t i = 0; i < p.room; i++)
        cli_picture_free(&items[i].picture);
    free(items);
    for (size_t i = 0; i < p.workers; i++)
        free(e->scores[i]);
    free(e->scores);
    return !e->stopped;
}
