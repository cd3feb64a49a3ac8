#include "nas/train/defaults.h"

#include <math.h>

#include "common/error.h"

enum { STRIDE = 32, LARGEST = 224, SMALL = 64 };

typedef struct {
    const scarlet__circumstances *c;
    scarlet_train_options *opts;
    scarlet_status status;
    scarlet_error *err;
} resolver;

static double get(const resolver *r, scarlet_train_option key)
{
    return scarlet__train_number(r->opts, key);
}

static void set_all(resolver *r, scarlet_train_option key, const double *values, size_t count)
{
    if (r->status == SCARLET_OK && scarlet__train_is_auto(r->opts, key))
        r->status = scarlet__train_resolve(r->opts, key, values, count, r->err);
}

static void set(resolver *r, scarlet_train_option key, double value)
{
    set_all(r, key, &value, 1);
}

static void set_pair(resolver *r, scarlet_train_option key, double a, double b)
{
    double values[2] = {a, b};
    set_all(r, key, values, 2);
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* Small pictures are enlarged, at most to 2.3 times: their network sees more positions. */
static int input_size(const scarlet__circumstances *c)
{
    if (c->fine_tuning)
        return c->input_size;
    double side = c->short_side ? floor(2.3 * c->short_side / STRIDE) * STRIDE : LARGEST;
    return (int)clamp(side, STRIDE, LARGEST);
}

static void resolve_size(resolver *r)
{
    const scarlet__circumstances *c = r->c;
    set(r, SCARLET_TRAIN_INPUT_SIZE, input_size(c));
    double side = get(r, SCARLET_TRAIN_INPUT_SIZE), resize = floor(side * 8 / 7);
    if (c->fine_tuning && c->resize && side <= c->resize)
        resize = c->resize;
    else if (c->short_side && c->short_side < side)
        resize = side; /* nothing is cut from a picture that is enlarged */
    set(r, SCARLET_TRAIN_RESIZE, resize);
    if (r->status == SCARLET_OK && get(r, SCARLET_TRAIN_RESIZE) < side)
        r->status = scarlet__fail(r->err, SCARLET_ERROR_ARGUMENT,
                                  "option resize: %g is less than the input size %g",
                                  get(r, SCARLET_TRAIN_RESIZE), side);
}

static void resolve_batch(resolver *r)
{
    double side = get(r, SCARLET_TRAIN_INPUT_SIZE), n = (double)r->c->pictures;
    double batch = get(r, SCARLET_TRAIN_BATCH_SIZE);
    double micro = side <= SMALL ? 64 : side <= 2 * SMALL ? 32 : 16;
    micro = fmin(micro, isnan(batch) ? n : batch);
    while (!isnan(batch) && micro > 1 && fmod(batch, micro) != 0)
        micro--;
    set(r, SCARLET_TRAIN_MICRO_BATCH, micro);
    micro = get(r, SCARLET_TRAIN_MICRO_BATCH);
    double wanted = n >= 10000 ? 128 : n >= 2000 ? 64 : 32;
    set(r, SCARLET_TRAIN_BATCH_SIZE, micro * clamp(floor(fmin(wanted, n) / micro), 1, wanted));
    batch = get(r, SCARLET_TRAIN_BATCH_SIZE);
    if (r->status == SCARLET_OK && fmod(batch, micro) != 0)
        r->status = scarlet__fail(r->err, SCARLET_ERROR_ARGUMENT,
                                  "option batch-size: %g is not a multiple of micro-batch, %g",
                                  batch, micro);
}

static void resolve_course(resolver *r)
{
    bool tuning = r->c->fine_tuning, sgd = get(r, SCARLET_TRAIN_OPTIMIZER) == 1;
    double n = (double)r->c->pictures, batch = get(r, SCARLET_TRAIN_BATCH_SIZE);
    if (r->status == SCARLET_OK && get(r, SCARLET_TRAIN_TIME) > 0 &&
        !scarlet__train_is_auto(r->opts, SCARLET_TRAIN_EPOCHS))
        r->status = scarlet__fail(r->err, SCARLET_ERROR_ARGUMENT,
                                  "option epochs has no effect where time is given");
    set(r, SCARLET_TRAIN_EPOCHS,
        floor(tuning ? clamp(60000 / n, 5, 30) : clamp(1500000 / n, 20, 150)));
    double epochs = get(r, SCARLET_TRAIN_EPOCHS);
    set(r, SCARLET_TRAIN_WARMUP_EPOCHS, fmin(tuning ? 1 : 2, epochs / 10));
    double rate = sgd ? 0.05 : 1.5e-3;
    set(r, SCARLET_TRAIN_LR, rate * sqrt(batch / 128) * (tuning ? 0.1 : 1));
    set(r, SCARLET_TRAIN_WEIGHT_DECAY, sgd ? 3e-4 : 0.05);
    set(r, SCARLET_TRAIN_CLIP_GRAD, sgd ? 5 : 1);
    set(r, SCARLET_TRAIN_EMA, !tuning);
    double steps = epochs * floor(n / batch);
    set(r, SCARLET_TRAIN_EMA_DECAY, 1 - 1 / clamp(steps / 20, 10, 500));
}

static void resolve_augmentation(resolver *r)
{
    set(r, SCARLET_TRAIN_AUG, get(r, SCARLET_TRAIN_INPUT_SIZE) <= SMALL ? 1 : 2);
    double aug = get(r, SCARLET_TRAIN_AUG);
    set_pair(r, SCARLET_TRAIN_SCALE, aug == 2 ? 0.2 : 0.7, 1);
    set_pair(r, SCARLET_TRAIN_RATIO, aug == 2 ? 0.75 : 0.9, aug == 2 ? 4.0 / 3 : 1 / 0.9);
    set(r, SCARLET_TRAIN_HFLIP, aug > 0 ? 0.5 : 0);
    set(r, SCARLET_TRAIN_COLOR_JITTER, 0);
    set(r, SCARLET_TRAIN_REPROB, aug == 1 ? 0.25 : 0);
}

static void resolve_normalization(resolver *r)
{
    for (int which = 0; which < 2; which++) {
        const float *from = which ? r->c->std : r->c->mean;
        double values[3] = {(double)from[0], (double)from[1], (double)from[2]};
        set_all(r, which ? SCARLET_TRAIN_STD : SCARLET_TRAIN_MEAN, values, 3);
    }
}

scarlet_status scarlet__defaults_resolve(const scarlet__circumstances *c,
                                         scarlet_train_options *opts, scarlet_error *err)
{
    resolver r = {.c = c, .opts = opts, .err = err};
    resolve_size(&r);
    resolve_batch(&r);
    resolve_course(&r);
    resolve_augmentation(&r);
    resolve_normalization(&r);
    return r.status;
}
