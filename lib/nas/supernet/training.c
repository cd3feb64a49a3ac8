/* The training of a supernet: from a dataset and options to an object that can step. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common/cpu.h"
#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "nas/data/digest.h"
#include "nas/parallel/alike.h"
#include "nas/supernet/deal.h"
#include "nas/supernet/let.h"
#include "nas/supernet/run.h"
#include "nas/supernet/scorer.h"
#include "nas/train/defaults.h"
#include "network/metadata.h"

enum { SMALL_SIDE = 64, SMALL_BATCH = 64, LARGE_BATCH = 16, EPOCHS_MAX = 100000 };

static double option(const scarlet_supernet *s, scarlet_train_option key)
{
    return scarlet__train_number(s->options, key);
}

/* ---- options ---- */

scarlet_train_options *scarlet_supernet_options(void)
{
    scarlet_train_options *opts = scarlet_train_options_create();
    if (opts && (scarlet_train_options_set(opts, "optimizer", "sgd", NULL) != SCARLET_OK ||
                 scarlet_train_options_set(opts, "ema", "off", NULL) != SCARLET_OK)) {
        scarlet_train_options_free(opts);
        opts = NULL;
    }
    return opts;
}

static scarlet_status set(scarlet_supernet *s, scarlet_train_option key, double value,
                          scarlet_error *err)
{
    return scarlet__train_is_auto(s->options, key)
               ? scarlet__train_resolve(s->options, key, &value, 1, err)
               : SCARLET_OK;
}

/* Batch norm sees whole batches. */
static scarlet_status set_batch(scarlet_supernet *s, scarlet_error *err)
{
    const double pictures = (double)scarlet__dataset_part_count(s->dataset, SCARLET_PART_TRAIN);
    const double usual = s->space->input_size <= SMALL_SIDE ? SMALL_BATCH : LARGE_BATCH;
    scarlet_status status = set(s, SCARLET_TRAIN_BATCH_SIZE, fmax(1, fmin(usual, pictures)), err);
    const double batch = option(s, SCARLET_TRAIN_BATCH_SIZE);
    return status == SCARLET_OK
               ? scarlet__train_resolve(s->options, SCARLET_TRAIN_MICRO_BATCH, &batch, 1, err)
               : status;
}

static scarlet_status resolve(scarlet_supernet *s, scarlet_error *err)
{
    const scarlet__metadata none = {0};
    const double side = s->space->input_size;
    float mean[3], std[3];
    scarlet__metadata_normalization(&none, mean, std);
    const scarlet__circumstances c = {
        .pictures = scarlet__dataset_part_count(s->dataset, SCARLET_PART_TRAIN),
        .short_side = (uint32_t)s->space->input_size,
        .mean = mean,
        .std = std,
    };
    if (c.pictures == 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "the dataset has no training pictures");
    scarlet_status status =
        scarlet__train_resolve(s->options, SCARLET_TRAIN_INPUT_SIZE, &side, 1, err);
    if (status == SCARLET_OK)
        status = set(s, SCARLET_TRAIN_RESIZE, side, err);
    if (status == SCARLET_OK)
        status = set_batch(s, err);
    if (status == SCARLET_OK)
        status = scarlet__defaults_resolve(&c, s->options, err);
    if (status != SCARLET_OK)
        return status;
    if (option(s, SCARLET_TRAIN_OPTIMIZER) < 1 || option(s, SCARLET_TRAIN_EMA) > 0 ||
        option(s, SCARLET_TRAIN_DROP) > 0 || option(s, SCARLET_TRAIN_TIME) > 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "a supernet is trained with optimizer=sgd, ema=off, drop=0, time=0");
    return SCARLET_OK;
}

/* ---- making ---- */

static scarlet_status make(scarlet_supernet *s, const scarlet_space *space,
                           const scarlet_train_options *opts, uint32_t threads, scarlet_error *err)
{
    scarlet_status status =
        scarlet__space_copy(space, space->input_size, s->dataset->classes, &s->space, err);
    if (status != SCARLET_OK)
        return status;
    s->given = opts ? scarlet_train_options_copy(opts) : scarlet_supernet_options();
    s->options = scarlet_train_options_copy(s->given);
    if (!s->given || !s->options)
        return scarlet__fail_memory(err);
    status = resolve(s, err);
    if (status == SCARLET_OK)
        status = scarlet__resolved_pictures(s->dataset, s->options, &s->pictures, err);
    const int batch = (int)option(s, SCARLET_TRAIN_BATCH_SIZE);
    if (status == SCARLET_OK)
        status = scarlet__resolved_loader(s->dataset, s->pictures, s->options, batch, 1, &s->loader,
                                          err);
    if (status != SCARLET_OK)
        return status;
    s->per_epoch = scarlet__loader_steps(s->loader);
    s->schedule = scarlet__resolved_schedule(s->options, s->per_epoch);
    s->threads = threads ? threads : scarlet__resolved_threads(s->options);
    const scarlet__fair_settings settings = {
        .batch = batch,
        .threads = s->threads,
        .isa_max = scarlet__resolved_isa(s->options),
        .nesterov = option(s, SCARLET_TRAIN_MOMENTUM) > 0,
        .momentum = option(s, SCARLET_TRAIN_MOMENTUM),
        .weight_decay = option(s, SCARLET_TRAIN_WEIGHT_DECAY),
        .clip_norm = option(s, SCARLET_TRAIN_CLIP_GRAD),
        .let_decay = s->settings.let_decay,
        .let_to_zero = s->settings.let_to_zero != 0,
        .let_start = s->settings.let_start,
        .seed = (uint64_t)option(s, SCARLET_TRAIN_SEED),
    };
    scarlet__largest_path(s->space, &s->largest);
    status =
        scarlet__supernet_make(s->space, s->settings.let != 0, s->settings.share, &s->net, err);
    if (status == SCARLET_OK)
        status = scarlet__fair_create(&s->net, &settings, &s->fair, err);
    if (status != SCARLET_OK)
        return status;
    s->trained = scarlet__calloc((size_t)s->net.parts, sizeof *s->trained);
    return s->trained ? scarlet_dataset_hash(s->dataset, &s->data, err) : scarlet__fail_memory(err);
}

static scarlet_status check(const scarlet_supernet_settings *s, scarlet_error *err)
{
    if (s->training < SCARLET_TRAINING_FAIR || s->training > SCARLET_TRAINING_UNIFORM_MANY ||
        s->let_start < SCARLET_LET_IDENTITY || s->let_start > SCARLET_LET_RANDOM ||
        s->share < SCARLET_SHARE_NONE || s->share > SCARLET_SHARE_WIDTH || s->largest_first < 0 ||
        s->largest_first > EPOCHS_MAX || !(s->let_decay >= 0 && s->let_decay <= 10))
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "settings of a supernet are out of range");
    return SCARLET_OK;
}

scarlet_status scarlet__supernet_prepare(const scarlet_space *space, const scarlet_dataset *dataset,
                                         const scarlet_supernet_settings *settings,
                                         const scarlet_train_options *opts, uint32_t threads,
                                         scarlet_supernet **out, scarlet_error *err)
{
    *out = NULL;
    scarlet_supernet *s = scarlet__calloc(1, sizeof *s);
    if (!s)
        return scarlet__fail_memory(err);
    s->dataset = dataset;
    s->epoch = -1;
    s->loss = s->rate = NAN;
    s->settings = settings ? *settings : (scarlet_supernet_settings){0};
    scarlet_status status = check(&s->settings, err);
    if (status == SCARLET_OK)
        status = make(s, space, opts, threads, err);
    if (status == SCARLET_OK)
        *out = s;
    else
        scarlet_supernet_free(s);
    return status;
}

scarlet_status scarlet_supernet_create(const scarlet_space *space, const scarlet_dataset *dataset,
                                       const scarlet_supernet_settings *settings,
                                       const scarlet_train_options *opts, scarlet_supernet **out,
                                       scarlet_error *err)
{
    if (!out || !space || !dataset)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !out    ? "out"
                             : space ? "dataset"
                                     : "space");
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = scarlet__supernet_prepare(space, dataset, settings, opts, 0, out, err);
    scarlet__host_leave(&host);
    return status;
}

void scarlet_supernet_free(scarlet_supernet *s)
{
    if (!s)
        return;
    scarlet__scorer_free(s->scorer);
    scarlet__fair_free(&s->fair);
    scarlet__supernet_free(&s->net);
    scarlet__free(s->trained);
    scarlet__loader_free(s->loader);
    scarlet__pictures_free(s->pictures);
    scarlet_train_options_free(s->options);
    scarlet_train_options_free(s->given);
    scarlet_space_free(s->space);
    scarlet__free(s);
}

/* ---- together with other processes ---- */

static scarlet_status alike(const scarlet_supernet *s, const scarlet_group *group,
                            scarlet_error *err)
{
    const scarlet__fair *f = &s->fair;
    const int isa = scarlet__training_kernels_for(scarlet__cpu_isa(f->settings.isa_max))->isa;
    char state[64];
    snprintf(state, sizeof state, "%016" PRIx64 " after %" PRId64 " steps",
             scarlet__digest(0, f->weights, s->net.floats * sizeof *f->weights), f->steps);
    char data[20];
    snprintf(data, sizeof data, "%016" PRIx64, s->data);
    const struct {
        const char *what, *text;
    } item[] = {{"library", scarlet_version_string()},
                {"compiler", __VERSION__},
                {"instruction set (isa-max limits it)",
                 scarlet_option_value_name(SCARLET_OPT_ISA_MAX, isa)},
                {"data", data},
                {"weights", state}};
    scarlet_status status = SCARLET_OK;
    for (size_t i = 0; status == SCARLET_OK && i < sizeof item / sizeof *item; i++)
        status = scarlet__alike(group, item[i].what, item[i].text, err);
    return status;
}

scarlet_status scarlet_supernet_join(scarlet_supernet *s, const scarlet_group *group,
                                     scarlet_error *err)
{
    if (!s || !group || !group->broadcast || !group->gather || group->size < 1 || group->rank < 0 ||
        group->rank >= group->size)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "no supernet, or no group");
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = alike(s, group, err);
    if (status == SCARLET_OK)
        s->fair.group = group;
    scarlet__host_leave(&host);
    return status;
}

/* ---- stepping ---- */

/* The paths of the next step, those that are not dealt first; returns their number. */
static int choose_paths(const scarlet_supernet *s, scarlet__path path[SCARLET__PATHS_MAX],
                        int *undealt)
{
    const scarlet_supernet_settings *set = &s->settings;
    const bool warming = s->fair.steps < set->largest_first * s->per_epoch;
    *undealt = warming || set->largest_teaches;
    path[0] = s->largest;
    if (warming)
        return 1;
    scarlet__deal(s->space, set->training, s->fair.settings.seed, s->fair.steps, path + *undealt);
    return *undealt + scarlet__deal_paths(s->space, set->training);
}

static void count_paths(scarlet_supernet *s, const scarlet__path *path, int paths)
{
    for (int p = 0; p < paths; p++) /* identities count too */
        for (int i = 0; i < s->space->widths.count; i++)
            s->trained[s->net.layer[i] + path[p].choice[i]]++;
}

scarlet_status scarlet_supernet_step(scarlet_supernet *s, scarlet_error *err)
{
    if (!s)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "supernet is NULL");
    const int64_t step = s->fair.steps;
    if (step >= s->schedule.steps)
        return SCARLET_OK;
    scarlet__host host = scarlet__host_enter();
    if (s->epoch != step / s->per_epoch) {
        s->epoch = step / s->per_epoch;
        scarlet__loader_begin(s->loader, s->epoch);
    }
    scarlet__path path[SCARLET__PATHS_MAX];
    int undealt;
    const int paths = choose_paths(s, path, &undealt);
    const double rate = scarlet__schedule_rate(&s->schedule, step);
    scarlet_status status =
        scarlet__fair_step(&s->fair, path, paths, undealt && paths > 1, scarlet__loader_fetch,
                           s->loader, rate, &s->loss, err);
    if (status == SCARLET_OK) {
        s->rate = rate;
        count_paths(s, path + undealt, paths - undealt);
    }
    scarlet__host_leave(&host);
    return status;
}

/* ---- asking ---- */

static double parameters(const scarlet_supernet *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->net.tensors; i++)
        sum += (double)s->net.tensor[i].count;
    return sum;
}

double scarlet_supernet_get(const scarlet_supernet *s, scarlet_supernet_info what)
{
    if (!s)
        return NAN;
    switch (what) {
    case SCARLET_SUPERNET_STEP:
        return (double)s->fair.steps;
    case SCARLET_SUPERNET_STEPS:
        return (double)s->schedule.steps;
    case SCARLET_SUPERNET_STEPS_PER_EPOCH:
        return (double)s->per_epoch;
    case SCARLET_SUPERNET_PATHS:
        return scarlet__deal_paths(s->space, s->settings.training) +
               (s->settings.largest_teaches ? 1 : 0);
    case SCARLET_SUPERNET_LOSS:
        return s->loss;
    case SCARLET_SUPERNET_RATE:
        return s->rate;
    case SCARLET_SUPERNET_BYTES:
        return (double)scarlet__fair_bytes(&s->fair);
    case SCARLET_SUPERNET_PARAMETERS:
        return parameters(s);
    case SCARLET_SUPERNET_LETS:
        return s->net.let;
    default:
        return NAN;
    }
}

const scarlet_space *scarlet_supernet_space(const scarlet_supernet *s)
{
    return s ? s->space : NULL;
}

const scarlet_supernet_settings *scarlet_supernet_settings_of(const scarlet_supernet *s)
{
    return s ? &s->settings : NULL;
}

int64_t scarlet_supernet_trained(const scarlet_supernet *s, int32_t layer, int32_t choice)
{
    if (!s || layer < 0 || layer >= s->space->widths.count || choice < 0 ||
        choice >= s->space->layer[layer].count)
        return -1;
    return s->trained[s->net.layer[layer] + choice];
}

double scarlet_supernet_condition(const scarlet_supernet *s, int32_t layer)
{
    if (!s || !s->net.let || layer < 0 || layer >= s->space->widths.count ||
        s->space->layer[layer].skip < 0)
        return NAN;
    const scarlet__part *part = &s->net.part[s->net.layer[layer] + s->space->layer[layer].skip];
    double *matrix = scarlet__part_matrix(&s->net, s->fair.weights, part);
    const double condition = matrix ? scarlet__let_condition(matrix, part->unit.in) : -1;
    scarlet__free(matrix);
    return condition < 0 ? NAN : condition;
}
