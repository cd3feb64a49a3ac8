#include "train_progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/interrupt.h"
#include "common/json_write.h"
#include "common/message.h"

enum { INTERVAL = 200000000 /* ns: five updates a second */ };

char *duration(double seconds)
{
    long long s = llround(seconds);
    if (s >= 3600)
        return cli_format("%lld h %lld min", s / 3600, s % 3600 / 60);
    if (s >= 60)
        return cli_format("%lld min %lld s", s / 60, s % 60);
    return cli_format("%lld s", s);
}

void train_progress_open(train_progress *p)
{
    const char *kind = getenv("TERM");
    p->terminal = !p->quiet && isatty(STDERR_FILENO) && kind && strcmp(kind, "dumb") != 0;
    p->last = now_nanos();
}

void train_progress_hide(train_progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

/* Seconds of training that are left; NaN if that is not known yet. */
static double seconds_left(const train_progress *p, const scarlet_trainer *t)
{
    double step = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_STEP);
    double left = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_STEPS) - step;
    double taken = (double)(now_nanos() - p->start) * 1e-9;
    return taken * left / (step - p->start_step);
}

static void put_left(FILE *out, double seconds)
{
    if (!isfinite(seconds))
        return;
    char *text = duration(seconds);
    fprintf(out, "  %s left", text);
    free(text);
}

/* ---- the line on a terminal ---- */

static void show_step(train_progress *p, const scarlet_trainer *t)
{
    double step = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_STEP);
    double per_epoch = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_STEPS_PER_EPOCH);
    double batch;
    scarlet_train_options_get(scarlet_trainer_options(t), SCARLET_TRAIN_BATCH_SIZE, &batch, 1,
                              NULL);
    double seconds = (double)(now_nanos() - p->start) * 1e-9;
    fprintf(stderr, "\repoch %.0f  step %.0f/%.0f  loss %.4f  lr %.3g  %.0f pictures/s",
            floor((step - 1) / per_epoch) + 1, fmod(step - 1, per_epoch) + 1, per_epoch,
            scarlet_trainer_get(t, SCARLET_TRAIN_INFO_LOSS),
            scarlet_trainer_get(t, SCARLET_TRAIN_INFO_RATE),
            batch * (step - p->start_step) / seconds);
    put_left(stderr, seconds_left(p, t));
    fputs("\033[K", stderr);
}

static void show(train_progress *p, const scarlet_trainer *t, scarlet_train_event event)
{
    int64_t now = now_nanos();
    if (!p->terminal || now - p->last < INTERVAL)
        return;
    p->last = now;
    p->shown = true;
    if (event == SCARLET_TRAIN_EVENT_FEATURES)
        fprintf(stderr, "\rfeatures of %.0f/%.0f pictures\033[K",
                scarlet_trainer_get(t, SCARLET_TRAIN_INFO_FEATURES),
                scarlet_trainer_get(t, SCARLET_TRAIN_INFO_PICTURES));
    else
        show_step(p, t);
}

/* ---- the line of an epoch ---- */

static void print_text(const train_progress *p, const scarlet_trainer *t, bool head)
{
    double epoch = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_EPOCH);
    double epochs = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_EPOCHS);
    double top1 = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_TOP1);
    if (head)
        fputs("epoch 0 (the head)", stdout);
    else if (isnan(epochs))
        printf("epoch %.0f", epoch);
    else
        printf("epoch %.0f/%.0f", epoch, epochs);
    if (!head)
        printf("  lr %.3g  loss %.4f", scarlet_trainer_get(t, SCARLET_TRAIN_INFO_RATE),
               scarlet_trainer_get(t, SCARLET_TRAIN_INFO_TRAIN_LOSS));
    if (!isnan(top1))
        printf("  validation loss %.4f, top-1 %.2f %%%s",
               scarlet_trainer_get(t, SCARLET_TRAIN_INFO_EVAL_LOSS), 100 * top1,
               scarlet_trainer_get(t, SCARLET_TRAIN_INFO_BEST_EPOCH) == epoch ? ", the best" : "");
    if (!head && scarlet_trainer_get(t, SCARLET_TRAIN_INFO_FINISHED) == 0)
        put_left(stdout, seconds_left(p, t));
    putchar('\n');
    fflush(stdout);
}

static void print_json(const scarlet_trainer *t)
{
    static const struct {
        const char *name;
        scarlet_train_info what;
    } figures[] = {
        {"epoch", SCARLET_TRAIN_INFO_EPOCH},
        {"epochs", SCARLET_TRAIN_INFO_EPOCHS},
        {"step", SCARLET_TRAIN_INFO_STEP},
        {"steps", SCARLET_TRAIN_INFO_STEPS},
        {"lr", SCARLET_TRAIN_INFO_RATE},
        {"train_loss", SCARLET_TRAIN_INFO_TRAIN_LOSS},
        {"val_loss", SCARLET_TRAIN_INFO_EVAL_LOSS},
        {"val_top1", SCARLET_TRAIN_INFO_TOP1},
        {"val_balanced", SCARLET_TRAIN_INFO_BALANCED},
        {"best_epoch", SCARLET_TRAIN_INFO_BEST_EPOCH},
    };
    json j = {.out = stdout};
    json_open(&j, '{');
    json_key(&j, "event");
    json_text(&j, "epoch");
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        json_key(&j, figures[i].name);
        json_double(&j, scarlet_trainer_get(t, figures[i].what));
    }
    json_close(&j, '}');
    json_end(&j);
}

static void name_broken(train_progress *p, const scarlet_trainer *t)
{
    size_t picture;
    const char *message;
    for (; scarlet_trainer_broken(t, p->broken, &picture, &message) == SCARLET_OK; p->broken++) {
        char *text = fault_text(p->data->name[picture], message);
        cli_error("%s; it is left out", text);
        free(text);
    }
}

int32_t train_progress_event(void *user, const scarlet_trainer *t, scarlet_train_event event)
{
    train_progress *p = user;
    switch (event) {
    case SCARLET_TRAIN_EVENT_FEATURES:
        show(p, t, event);
        break;
    case SCARLET_TRAIN_EVENT_STEP:
        if (!p->start) {
            p->start = now_nanos();
            p->start_step = scarlet_trainer_get(t, SCARLET_TRAIN_INFO_STEP);
        }
        show(p, t, event);
        break;
    case SCARLET_TRAIN_EVENT_HEAD:
    case SCARLET_TRAIN_EVENT_EPOCH:
        train_progress_hide(p);
        name_broken(p, t);
        if (p->json)
            print_json(t);
        else if (!p->quiet)
            print_text(p, t, event == SCARLET_TRAIN_EVENT_HEAD);
        break;
    default:
        break;
    }
    return interrupted();
}
