/* The course of a training: steps, epochs, evaluation, the best file, checkpoints. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/decimal.h"
#include "common/error.h"
#include "common/host.h"
#include "common/io.h"
#include "common/memory.h"
#include "formats/json.h"
#include "nas/train/resolved.h"
#include "nas/train/run.h"

#define SECOND INT64_C(1000000000)
static const int64_t checkpoint_interval = 300 * SECOND;

/* The measured start of --time: these steps are not counted, then so many or so long. */
enum { WARM_STEPS = 5, MEASURED_STEPS = 200, MEASURED_SECONDS = 20 };

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static double option(const scarlet_trainer *t, scarlet_train_option key)
{
    return scarlet__train_number(t->options, key);
}

/* ---- evaluation ---- */

/* Scores a part by the file that would be written; *file receives it. */
static scarlet_status assess(scarlet_trainer *t, scarlet_part part, scarlet__output *file,
                             scarlet_error *err)
{
    scarlet_model *model = NULL;
    scarlet_options *opts = scarlet_options_create();
    scarlet__output_memory(file);
    scarlet_status status =
        opts ? scarlet__deploy(t, file, "the model file", err) : scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = scarlet_options_set(opts, SCARLET_OPT_MAX_BYTES, INT64_MAX, err);
    if (status == SCARLET_OK)
        status =
            scarlet_options_set(opts, SCARLET_OPT_ISA_MAX, scarlet__resolved_isa(t->options), err);
    if (status == SCARLET_OK)
        status = scarlet_model_load_memory(file->data, file->size, opts, &model, err);
    if (status == SCARLET_OK)
        status = scarlet__evaluate(model, t->dataset, t->pictures, part, t->threads, &t->evaluation,
                                   err);
    scarlet_model_free(model);
    scarlet_options_free(opts);
    return status;
}

static bool has_validation(const scarlet_trainer *t)
{
    return scarlet__dataset_part_count(t->dataset, SCARLET_PART_VALIDATION) > 0;
}

/* Higher is better. */
static double metric(const scarlet_trainer *t)
{
    switch ((int)option(t, SCARLET_TRAIN_EVAL_METRIC)) {
    case 0:
        return t->evaluation.top1;
    case 1:
        return t->evaluation.balanced;
    default:
        return -t->evaluation.loss;
    }
}

/* ---- files ---- */

static scarlet_status write_bytes(const char *path, const void *data, size_t size,
                                  scarlet_error *err)
{
    scarlet__output output;
    scarlet_status status = scarlet__output_open(path, &output, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet__output_write(&output, data, size, err);
    if (status == SCARLET_OK)
        return scarlet__output_commit(&output, err);
    scarlet__output_abandon(&output);
    return status;
}

static const char results_head[] =
    "epoch,step,lr,train_loss,val_loss,val_top1,val_balanced,best,seconds\n";

scarlet_status scarlet__results_write(const scarlet_trainer *t, scarlet_error *err)
{
    if (!t->results_path)
        return SCARLET_OK;
    scarlet__text text = {0};
    scarlet__text_put(&text, results_head);
    scarlet__text_put(&text, t->progress.rows ? t->progress.rows : "");
    scarlet_status status = text.failed ? scarlet__fail_memory(err)
                                        : write_bytes(t->results_path, text.data, text.length, err);
    scarlet__free(text.data);
    return status;
}

static scarlet_status write_checkpoint(scarlet_trainer *t, scarlet_error *err)
{
    t->checkpointed = now();
    if (!t->checkpoint_path)
        return SCARLET_OK;
    return scarlet__checkpoint_write(t->checkpoint_path, t->trainer, &t->progress, err);
}

static void put_number(scarlet__text *text, double x)
{
    char number[SCARLET__DECIMAL_SIZE];
    scarlet__text_put(text, ",");
    if (isnan(x))
        return;
    scarlet__print_decimal((float)x, number);
    scarlet__text_put(text, number);
}

static scarlet_status add_row(scarlet_trainer *t, bool best, scarlet_error *err)
{
    scarlet__text text = {0};
    scarlet__text_put(&text, t->progress.rows ? t->progress.rows : "");
    scarlet__text_put_unsigned(&text, (uint64_t)t->progress.epoch);
    scarlet__text_put(&text, ",");
    scarlet__text_put_unsigned(&text, (uint64_t)t->progress.step);
    put_number(&text, t->rate);
    put_number(&text, t->train_loss);
    put_number(&text, t->evaluation.loss);
    put_number(&text, t->evaluation.top1);
    put_number(&text, t->evaluation.balanced);
    scarlet__text_put(&text, best ? ",1" : ",0");
    put_number(&text, rint((double)(now() - t->began) / (double)SECOND * 100) / 100);
    scarlet__text_put(&text, "\n");
    if (text.failed) {
        scarlet__free(text.data);
        return scarlet__fail_memory(err);
    }
    scarlet__free(t->progress.rows);
    t->progress.rows = text.data;
    return SCARLET_OK;
}

/* ---- an epoch's end ---- */

/* Evaluates and keeps what is best. The order of the files matters: whatever moment a run is killed
 * at, resuming from the checkpoint writes the others again. */
static scarlet_status conclude(scarlet_trainer *t, scarlet_error *err)
{
    scarlet__progress *p = &t->progress;
    scarlet__output file;
    scarlet_status status;
    t->evaluation = (scarlet__evaluation){.top1 = NAN, .balanced = NAN, .loss = NAN};
    if (has_validation(t)) {
        status = assess(t, SCARLET_PART_VALIDATION, &file, err);
    } else {
        scarlet__output_memory(&file);
        status = scarlet__deploy(t, &file, "the model file", err);
    }
    double value = metric(t);
    bool best = isnan(value) || isnan(p->best) || value > p->best;
    if (status == SCARLET_OK && best && t->best_path)
        status = write_bytes(t->best_path, file.data, file.size, err);
    scarlet__output_abandon(&file);
    if (status == SCARLET_OK && best) {
        p->best = value;
        p->best_epoch = p->epoch;
    }
    int64_t patience = (int64_t)option(t, SCARLET_TRAIN_PATIENCE);
    if (patience && has_validation(t) && p->epoch - p->best_epoch >= patience)
        p->finished = true;
    if (status == SCARLET_OK)
        status = add_row(t, best, err);
    if (status == SCARLET_OK)
        status = write_checkpoint(t, err);
    if (status == SCARLET_OK)
        status = scarlet__results_write(t, err);
    return status;
}

static scarlet_status finish_head(scarlet_trainer *t, scarlet_error *err)
{
    t->began = now();
    scarlet_status status =
        t->initial.same_labels && option(t, SCARLET_TRAIN_FREEZE) >= 0
            ? scarlet__trainer_load(t->trainer, SCARLET__WEIGHTS, t->initial.tensors, "", err)
            : scarlet__transfer(t, err);
    if (status != SCARLET_OK || t->cancelled)
        return status;
    t->head_pending = false;
    t->progress.finished = option(t, SCARLET_TRAIN_FREEZE) < 0;
    status = conclude(t, err);
    if (status == SCARLET_OK)
        scarlet__announce(t, SCARLET_TRAIN_EVENT_HEAD);
    return status;
}

static scarlet_status finish_epoch(scarlet_trainer *t, int64_t steps, scarlet_error *err)
{
    scarlet__progress *p = &t->progress;
    p->epoch++;
    t->train_loss = p->loss / (double)steps;
    p->loss = 0;
    p->finished = p->steps && p->step >= p->steps;
    scarlet_status status = conclude(t, err);
    if (status == SCARLET_OK)
        scarlet__announce(t, SCARLET_TRAIN_EVENT_EPOCH);
    return status;
}

/* ---- --time ---- */

/* Turns hours into steps once enough of them have been measured: a step's time, and the share of an
 * evaluation that falls to it. */
static scarlet_status plan(scarlet_trainer *t, scarlet_error *err)
{
    scarlet__progress *p = &t->progress;
    int64_t time = now();
    if (t->measured == 0) {
        if (p->step % t->per_epoch == WARM_STEPS % t->per_epoch) {
            t->measured = time;
            t->measured_step = p->step;
        }
        return SCARLET_OK;
    }
    int64_t steps = p->step - t->measured_step;
    bool enough = steps >= MEASURED_STEPS || time - t->measured >= MEASURED_SECONDS * SECOND;
    if (steps == 0 || !(enough || p->step % t->per_epoch == 0))
        return SCARLET_OK;
    double step_time = (double)(time - t->measured) / (double)steps;
    if (has_validation(t)) {
        scarlet__output file;
        scarlet_status status = assess(t, SCARLET_PART_VALIDATION, &file, err);
        scarlet__output_abandon(&file);
        if (status != SCARLET_OK)
            return status;
        step_time += (double)(now() - time) / (double)t->per_epoch;
    }
    double left =
        option(t, SCARLET_TRAIN_TIME) * 3600 * (double)SECOND - (double)(now() - t->began);
    p->steps = p->step + (int64_t)fmax(1, floor(left / step_time));
    t->schedule.steps = p->steps;
    return write_checkpoint(t, err);
}

/* ---- steps ---- */

static scarlet_status one_step(scarlet_trainer *t, scarlet_error *err)
{
    scarlet__progress *p = &t->progress;
    int64_t epoch = p->step / t->per_epoch;
    if (t->began == 0)
        t->began = t->checkpointed = now();
    scarlet__loader_begin(t->loader, epoch);
    t->rate = scarlet__schedule_rate(&t->schedule, p->step);
    scarlet_status status =
        scarlet__trainer_step(t->trainer, scarlet__loader_fetch, t->loader, t->rate, &t->loss, err);
    if (status != SCARLET_OK)
        return status;
    p->step++;
    p->loss += t->loss;
    scarlet__announce(t, SCARLET_TRAIN_EVENT_STEP);
    if (p->steps == 0)
        status = plan(t, err);
    if (status == SCARLET_OK && (p->step % t->per_epoch == 0 || p->step == p->steps))
        return finish_epoch(t, p->step - epoch * t->per_epoch, err);
    if (status == SCARLET_OK && now() - t->checkpointed >= checkpoint_interval) {
        status = write_checkpoint(t, err);
        if (status == SCARLET_OK)
            scarlet__announce(t, SCARLET_TRAIN_EVENT_CHECKPOINT);
    }
    return status;
}

/* A cancelled run leaves a checkpoint, and a model file even before the first epoch has ended. */
static scarlet_status leave(scarlet_trainer *t, scarlet_error *err)
{
    scarlet_status status = t->head_pending ? SCARLET_OK : write_checkpoint(t, err);
    if (status == SCARLET_OK && !t->head_pending && t->best_path && isnan(t->progress.best) &&
        t->progress.epoch == 0)
        status = scarlet_trainer_write(t, t->best_path, err);
    return status;
}

enum { ONE_STEP, ONE_EPOCH, ALL };

static scarlet_status go(scarlet_trainer *t, int extent, scarlet_error *err)
{
    if (!t)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "trainer is NULL");
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = SCARLET_OK;
    int64_t epoch = t->progress.epoch;
    t->cancelled = false;
    do {
        if (t->head_pending)
            status = finish_head(t, err);
        else if (!t->progress.finished)
            status = one_step(t, err);
    } while (status == SCARLET_OK && !t->progress.finished && !t->cancelled &&
             (extent == ALL || (extent == ONE_EPOCH && t->progress.epoch == epoch)));
    if (status == SCARLET_OK && t->cancelled)
        status = leave(t, err);
    scarlet__host_leave(&host);
    return status;
}

scarlet_status scarlet_trainer_step(scarlet_trainer *t, scarlet_error *err)
{
    return go(t, ONE_STEP, err);
}

scarlet_status scarlet_trainer_epoch(scarlet_trainer *t, scarlet_error *err)
{
    return go(t, ONE_EPOCH, err);
}

scarlet_status scarlet_trainer_run(scarlet_trainer *t, scarlet_error *err)
{
    return go(t, ALL, err);
}

/* ---- on demand ---- */

scarlet_status scarlet_trainer_evaluate(scarlet_trainer *t, scarlet_part part, scarlet_error *err)
{
    if (!t || (unsigned)part >= SCARLET__PARTS)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, t ? "unknown part %d" : "trainer is NULL",
                             (int)part);
    if (scarlet__dataset_part_count(t->dataset, part) == 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "the dataset has no such pictures");
    scarlet__host host = scarlet__host_enter();
    scarlet__output file;
    scarlet_status status = assess(t, part, &file, err);
    scarlet__output_abandon(&file);
    scarlet__host_leave(&host);
    return status;
}

scarlet_status scarlet_trainer_write(scarlet_trainer *t, const char *path, scarlet_error *err)
{
    if (!t || !path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", t ? "path" : "trainer");
    scarlet__host host = scarlet__host_enter();
    scarlet__output output;
    scarlet_status status = scarlet__output_open(path, &output, err);
    if (status == SCARLET_OK) {
        status = scarlet__deploy(t, &output, path, err);
        if (status == SCARLET_OK)
            status = scarlet__output_commit(&output, err);
        else
            scarlet__output_abandon(&output);
    }
    scarlet__host_leave(&host);
    return status;
}
