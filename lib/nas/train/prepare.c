/* Making a training: from a dataset and options to a trainer that can step. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "formats/open.h"
#include "nas/train/defaults.h"
#include "nas/train/resolved.h"
#include "nas/train/run.h"
#include "network/find.h"

static double option(const scarlet_trainer *t, scarlet_train_option key)
{
    return scarlet__train_number(t->options, key);
}

static const char *text(const scarlet_trainer *t, scarlet_train_option key)
{
    return scarlet_train_options_text(t->options, key);
}

/* ---- the network ---- */

static bool same_labels(const scarlet_dataset *d, const scarlet__metadata *m, int classes)
{
    if (!d->name || m->label_count != (size_t)d->classes || classes != d->classes)
        return false;
    for (size_t i = 0; i < m->label_count; i++)
        if (strcmp(d->name[i], m->label[i]) != 0)
            return false;
    return true;
}

static scarlet_status open_initial(scarlet_trainer *t, scarlet_error *err)
{
    scarlet__initial *initial = &t->initial;
    scarlet_status status =
        scarlet__source_open(text(t, SCARLET_TRAIN_INITIAL_CHECKPOINT), &initial->source, err);
    if (status == SCARLET_OK)
        status = scarlet__tensors_open(&initial->source, UINT64_MAX, &initial->tensors, err);
    if (status == SCARLET_OK)
        status = scarlet__network_find(initial->tensors, &initial->network, err);
    if (status == SCARLET_OK)
        status =
            scarlet__metadata_read(initial->tensors, &initial->network, &initial->metadata, err);
    if (status != SCARLET_OK)
        return status;
    initial->same_labels = same_labels(t->dataset, &initial->metadata, initial->network.classes);
    t->head_pending = true;
    return SCARLET_OK;
}

/* Text of a released network's genotype, "scarlet-a" in any case, or the text itself. */
static const char *released(const char *arch)
{
    char name[16];
    size_t n = strlen(arch);
    for (size_t i = 0; i <= n && n < sizeof name; i++)
        name[i] = (char)(arch[i] >= 'a' && arch[i] <= 'z' ? arch[i] - 'a' + 'A' : arch[i]);
    const char *genotype = n < sizeof name ? scarlet__genotype_released(name) : NULL;
    return genotype ? genotype : arch;
}

static scarlet_status build_network(scarlet_trainer *t, scarlet_error *err)
{
    scarlet__space space = scarlet__space_default;
    scarlet__genotype genotype;
    const char *arch = text(t, SCARLET_TRAIN_ARCH), *widths = text(t, SCARLET_TRAIN_SPACE);
    const char *kept = scarlet__metadata_get(&t->initial.metadata, "scarlet.space");
    if (t->initial.tensors) {
        arch = t->initial.network.genotype;
        widths = kept ? kept : "";
    }
    scarlet_status status = *widths ? scarlet__space_parse(widths, &space, err) : SCARLET_OK;
    if (status != SCARLET_OK)
        return status;
    if (*widths) {
        t->space = scarlet__strdup(widths);
        if (!t->space)
            return scarlet__fail_memory(err);
    }
    status = scarlet__genotype_parse(released(arch), &genotype, err);
    if (status == SCARLET_OK)
        status = scarlet__network_build(&space, &genotype, t->dataset->classes, &t->network, err);
    if (status == SCARLET_OK && t->initial.tensors)
        scarlet__network_set_style(&t->network, &t->initial.network.style);
    return status;
}

/* ---- options ---- */

/* Median short side of some training pictures; 0 if none can be read. */
static uint32_t short_side(const scarlet_dataset *d)
{
    enum { SOME = 25, HEAD = 65536 };
    uint32_t side[SOME];
    size_t found = 0, count, n = 0;
    uint32_t *index = scarlet__dataset_part(d, SCARLET_PART_TRAIN, &count);
    uint8_t *head = scarlet__alloc(HEAD, 1);
    for (; index && head && n < SOME && n < count; n++) {
        const scarlet__sample *s = &d->sample[index[n * (count / SOME) % count]];
        uint32_t width = 0, height = 0;
        scarlet__source source;
        if (s->image) {
            scarlet_image_pixels(s->image, &width, &height, NULL, NULL);
        } else if (s->bytes) {
            scarlet_image_probe(s->bytes, s->size, &width, &height, NULL);
        } else if (scarlet__source_open(s->path, &source, NULL) == SCARLET_OK) {
            size_t size = source.size < HEAD ? (size_t)source.size : HEAD;
            if (scarlet__source_read(&source, 0, head, size, NULL) == SCARLET_OK)
                scarlet_image_probe(head, size, &width, &height, NULL);
            scarlet__source_close(&source);
        }
        uint32_t x = width < height ? width : height;
        size_t place = found; /* sorted in */
        for (; x && place > 0 && side[place - 1] > x; place--)
            side[place] = side[place - 1];
        if (x) {
            side[place] = x;
            found++;
        }
    }
    scarlet__free(index);
    scarlet__free(head);
    return found ? side[found / 2] : 0;
}

static scarlet_status resolve(scarlet_trainer *t, scarlet_error *err)
{
    const scarlet__metadata *m = &t->initial.metadata;
    float mean[3], std[3];
    scarlet__metadata_normalization(m, mean, std);
    const scarlet__circumstances c = {
        .pictures = scarlet__dataset_part_count(t->dataset, SCARLET_PART_TRAIN),
        .short_side = short_side(t->dataset),
        .fine_tuning = t->initial.tensors,
        .input_size = m->input_size ? m->input_size : 224,
        .resize = m->resize,
        .mean = mean,
        .std = std,
    };
    if (c.pictures == 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "the dataset has no training pictures");
    scarlet_status status = scarlet__defaults_resolve(&c, t->options, err);
    if (status != SCARLET_OK)
        return status;
    if (option(t, SCARLET_TRAIN_MIN_LR) > option(t, SCARLET_TRAIN_LR))
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "option min-lr: more than lr, %s",
                             text(t, SCARLET_TRAIN_LR));
    t->threads = scarlet__resolved_threads(t->options);
    return SCARLET_OK;
}

/* ---- metadata of the model file ---- */

static scarlet_status describe(scarlet_trainer *t, scarlet_error *err)
{
    static char space_key[] = "scarlet.space", network_key[] = "scarlet.network";
    scarlet__metadata *changes = scarlet__calloc(1, sizeof *changes);
    t->changes = changes;
    if (!changes)
        return scarlet__fail_memory(err);
    double mean[3], std[3];
    scarlet__train_numbers(t->options, SCARLET_TRAIN_MEAN, mean);
    scarlet__train_numbers(t->options, SCARLET_TRAIN_STD, std);
    for (int c = 0; c < 3; c++) {
        changes->mean[c] = (float)mean[c];
        changes->std[c] = (float)std[c];
    }
    changes->label = (const char **)t->dataset->name;
    changes->label_count = (size_t)t->dataset->classes;
    changes->input_size = (int)option(t, SCARLET_TRAIN_INPUT_SIZE);
    changes->resize = (int)option(t, SCARLET_TRAIN_RESIZE);
    changes->has_mean = changes->has_std = changes->has_auto_orient = true;
    changes->auto_orient = option(t, SCARLET_TRAIN_AUTO_ORIENT) > 0;
    char *key[2], *value[2];
    scarlet__metadata base = {.key = key, .value = value};
    if (t->space) {
        key[base.count] = space_key;
        value[base.count++] = t->space;
    }
    const char *network = scarlet__metadata_get(&t->initial.metadata, network_key);
    if (network) {
        key[base.count] = network_key;
        value[base.count++] = (char *)network;
    }
    return scarlet__metadata_write(&base, changes, &t->metadata, err);
}

/* ---- the parts ---- */

/* Memory beside that of steps: the model file of an evaluation, with room to grow, and the model
 * loaded from it; the features for a head. */
static int64_t aside(const scarlet_trainer *t)
{
    int64_t parameters = 0;
    for (int i = 0; i < t->network.count; i++)
        parameters += scarlet__layer_parameters(&t->network.layer[i]);
    int64_t features = (int64_t)scarlet__dataset_part_count(t->dataset, SCARLET_PART_TRAIN) *
                       t->network.space.tail;
    return (int64_t)sizeof(float) * (3 * parameters + (t->head_pending ? features : 0));
}

static scarlet_status make_trainer(scarlet_trainer *t, int micro_batch, int micro_batches,
                                   scarlet_error *err)
{
    bool sgd = option(t, SCARLET_TRAIN_OPTIMIZER) > 0, tuning = t->initial.tensors;
    double momentum = option(t, SCARLET_TRAIN_MOMENTUM);
    const scarlet__trainer_settings s = {
        .network = &t->network,
        .side = t->changes->input_size,
        .micro_batch = micro_batch,
        .micro_batches = micro_batches,
        .threads = t->threads,
        .isa_max = scarlet__resolved_isa(t->options),
        .optimizer = !sgd           ? SCARLET__ADAMW
                     : momentum > 0 ? SCARLET__NESTEROV
                                    : SCARLET__SGD,
        .momentum = momentum,
        .beta1 = momentum,
        .beta2 = 0.99,
        .epsilon = 1e-8,
        .weight_decay = option(t, SCARLET_TRAIN_WEIGHT_DECAY),
        .clip_norm = option(t, SCARLET_TRAIN_CLIP_GRAD),
        .average_decay = option(t, SCARLET_TRAIN_EMA) > 0 ? option(t, SCARLET_TRAIN_EMA_DECAY) : 0,
        .drop = (float)option(t, SCARLET_TRAIN_DROP),
        .seed = (uint64_t)option(t, SCARLET_TRAIN_SEED),
        .frozen_layers = tuning ? (int)fmax(0, option(t, SCARLET_TRAIN_FREEZE)) : 0,
        .frozen_statistics = tuning,
    };
    t->bytes = scarlet__trainer_memory(&s) + aside(t);
    scarlet_status status = scarlet__trainer_create(&s, &t->trainer, err);
    if (status == SCARLET_OK)
        scarlet__trainer_initialise(t->trainer, s.seed);
    return status;
}

/* ---- the folder ---- */

static char *path_in(const char *folder, const char *name)
{
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = scarlet__alloc(room, 1);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

static scarlet_status make_paths(scarlet_trainer *t, const char *folder, scarlet_error *err)
{
    if (!folder)
        return SCARLET_OK;
    t->checkpoint_path = path_in(folder, "last.ckpt");
    t->best_path = path_in(folder, "best.safetensors");
    t->results_path = path_in(folder, "results.csv");
    if (!t->checkpoint_path || !t->best_path || !t->results_path)
        return scarlet__fail_memory(err);
    scarlet__output_sweep(t->checkpoint_path);
    scarlet__output_sweep(t->best_path);
    scarlet__output_sweep(t->results_path);
    return SCARLET_OK;
}

/* ---- the whole ---- */

static scarlet_status make(scarlet_trainer *t, const scarlet_train_options *opts,
                           const char *folder, scarlet_error *err)
{
    t->progress.options = opts ? scarlet_train_options_copy(opts) : scarlet_train_options_create();
    t->options = scarlet_train_options_copy(t->progress.options);
    if (!t->progress.options || !t->options)
        return scarlet__fail_memory(err);
    scarlet_status status = make_paths(t, folder, err);
    if (status == SCARLET_OK && *text(t, SCARLET_TRAIN_INITIAL_CHECKPOINT))
        status = open_initial(t, err);
    else if (status == SCARLET_OK && option(t, SCARLET_TRAIN_FREEZE) != 0)
        status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                               "option freeze: without initial-checkpoint nothing is known yet");
    if (status == SCARLET_OK)
        status = build_network(t, err);
    if (status == SCARLET_OK)
        status = resolve(t, err);
    if (status == SCARLET_OK)
        status = describe(t, err);
    if (status == SCARLET_OK)
        status = scarlet__resolved_pictures(t->dataset, t->options, &t->pictures, err);
    if (status != SCARLET_OK)
        return status;
    int micro_batch = (int)option(t, SCARLET_TRAIN_MICRO_BATCH);
    int micro_batches = (int)option(t, SCARLET_TRAIN_BATCH_SIZE) / micro_batch;
    status = scarlet__resolved_loader(t->dataset, t->pictures, t->options, micro_batch,
                                      micro_batches, &t->loader, err);
    if (status == SCARLET_OK)
        status = make_trainer(t, micro_batch, micro_batches, err);
    if (status != SCARLET_OK)
        return status;
    t->per_epoch = scarlet__loader_steps(t->loader);
    t->schedule = scarlet__resolved_schedule(t->options, t->per_epoch);
    t->progress.steps = t->schedule.steps;
    t->progress.best = t->loss = t->rate = t->train_loss = NAN;
    t->evaluation = (scarlet__evaluation){.top1 = NAN, .balanced = NAN, .loss = NAN};
    return scarlet_dataset_hash(t->dataset, &t->progress.data, err);
}

static scarlet_status compare(const scarlet_trainer *t, const scarlet__progress *saved,
                              scarlet_error *err)
{
    const char *differs = scarlet__train_differs(t->progress.options, saved->options);
    if (differs)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "%s: is of a training with another option %s", t->checkpoint_path,
                             differs);
    if (saved->data != t->progress.data)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "%s: is of a training on other pictures or labels",
                             t->checkpoint_path);
    bool known = option(t, SCARLET_TRAIN_TIME) > 0 || saved->steps == t->progress.steps;
    if (!known || saved->epoch > saved->step / t->per_epoch + 1)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "%s: damaged checkpoint: its number of steps", t->checkpoint_path);
    return SCARLET_OK;
}

static scarlet_status go_on(scarlet_trainer *t, scarlet_error *err)
{
    scarlet__checkpoint *checkpoint;
    scarlet__progress saved;
    scarlet_status status = scarlet__checkpoint_open(t->checkpoint_path, &checkpoint, &saved, err);
    if (status != SCARLET_OK)
        return status;
    status = compare(t, &saved, err);
    if (status == SCARLET_OK)
        status = scarlet__checkpoint_load(checkpoint, t->trainer, err);
    scarlet__checkpoint_close(checkpoint);
    if (status != SCARLET_OK) {
        scarlet__progress_clear(&saved);
        return status;
    }
    scarlet__progress_clear(&t->progress);
    t->progress = saved;
    t->schedule.steps = saved.steps;
    t->head_pending = false;
    scarlet__trainer_set_steps(t->trainer, saved.step);
    return scarlet__results_write(t, err);
}

static scarlet_status begin(const scarlet_dataset *dataset, const scarlet_train_options *opts,
                            const char *folder, bool resume, scarlet_trainer **out,
                            scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!dataset || (resume && !folder))
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             dataset ? "folder" : "dataset");
    scarlet__host host = scarlet__host_enter(); /* threads inherit the state set here */
    scarlet_trainer *t = scarlet__calloc(1, sizeof *t);
    scarlet_status status = t ? SCARLET_OK : scarlet__fail_memory(err);
    if (t) {
        t->dataset = dataset;
        t->initial.source.fd = -1;
        status = make(t, opts, folder, err);
    }
    if (status == SCARLET_OK && resume)
        status = go_on(t, err);
    else if (status == SCARLET_OK && folder && access(t->checkpoint_path, F_OK) == 0)
        status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                               "%s: exists; resume that training or choose another folder",
                               t->checkpoint_path);
    if (status == SCARLET_OK)
        *out = t;
    else
        scarlet_trainer_free(t);
    scarlet__host_leave(&host);
    return status;
}

scarlet_status scarlet_trainer_create(const scarlet_dataset *dataset,
                                      const scarlet_train_options *opts, const char *folder,
                                      scarlet_trainer **out, scarlet_error *err)
{
    return begin(dataset, opts, folder, false, out, err);
}

scarlet_status scarlet_trainer_resume(const scarlet_dataset *dataset,
                                      const scarlet_train_options *opts, const char *folder,
                                      scarlet_trainer **out, scarlet_error *err)
{
    return begin(dataset, opts, folder, true, out, err);
}

void scarlet_trainer_free(scarlet_trainer *t)
{
    if (!t)
        return;
    scarlet__host host = scarlet__host_enter();
    scarlet__trainer_free(t->trainer);
    scarlet__loader_free(t->loader);
    scarlet__pictures_free(t->pictures);
    scarlet__metadata_text_free(&t->metadata);
    scarlet__free(t->changes);
    scarlet__free(t->space);
    scarlet__metadata_free(&t->initial.metadata);
    scarlet__tensors_free(t->initial.tensors);
    scarlet__source_close(&t->initial.source);
    scarlet__progress_clear(&t->progress);
    scarlet_train_options_free(t->options);
    scarlet__free(t->checkpoint_path);
    scarlet__free(t->best_path);
    scarlet__free(t->results_path);
    scarlet__free(t);
    scarlet__host_leave(&host);
}

/* ---- asking ---- */

void scarlet_trainer_set_callback(scarlet_trainer *t, scarlet_train_fn fn, void *user)
{
    if (!t)
        return;
    t->callback = fn;
    t->user = user;
}

const scarlet_train_options *scarlet_trainer_options(const scarlet_trainer *t)
{
    return t ? t->options : NULL;
}

scarlet_status scarlet_trainer_broken(const scarlet_trainer *t, size_t index, size_t *picture,
                                      const char **message)
{
    return t && scarlet__pictures_broken(t->pictures, index, picture, message)
               ? SCARLET_OK
               : SCARLET_ERROR_ARGUMENT;
}

static double count_or_nan(int64_t x)
{
    return x ? (double)x : NAN;
}

static size_t broken(const scarlet_trainer *t)
{
    size_t count = 0;
    for (int part = 0; part < SCARLET__PARTS; part++)
        count += scarlet__pictures_broken_count(t->pictures, (scarlet_part)part);
    return count;
}

double scarlet_trainer_get(const scarlet_trainer *t, scarlet_train_info what)
{
    if (!t)
        return NAN;
    const scarlet__progress *p = &t->progress;
    switch (what) {
    case SCARLET_TRAIN_INFO_STEP:
        return (double)p->step;
    case SCARLET_TRAIN_INFO_STEPS:
        return count_or_nan(p->steps);
    case SCARLET_TRAIN_INFO_EPOCH:
        return (double)p->epoch;
    case SCARLET_TRAIN_INFO_EPOCHS:
        return count_or_nan((p->steps + t->per_epoch - 1) / t->per_epoch);
    case SCARLET_TRAIN_INFO_STEPS_PER_EPOCH:
        return (double)t->per_epoch;
    case SCARLET_TRAIN_INFO_FINISHED:
        return p->finished;
    case SCARLET_TRAIN_INFO_PICTURES:
        return (double)scarlet__dataset_part_count(t->dataset, SCARLET_PART_TRAIN);
    case SCARLET_TRAIN_INFO_BROKEN:
        return (double)broken(t);
    case SCARLET_TRAIN_INFO_BYTES:
        return (double)t->bytes;
    case SCARLET_TRAIN_INFO_CACHE_BYTES:
        return (double)scarlet__pictures_cached(t->pictures);
    case SCARLET_TRAIN_INFO_FEATURES:
        return (double)t->features;
    case SCARLET_TRAIN_INFO_LOSS:
        return t->loss;
    case SCARLET_TRAIN_INFO_RATE:
        return t->rate;
    case SCARLET_TRAIN_INFO_TRAIN_LOSS:
        return t->train_loss;
    case SCARLET_TRAIN_INFO_COUNT:
        return (double)t->evaluation.count;
    case SCARLET_TRAIN_INFO_TOP1:
        return t->evaluation.top1;
    case SCARLET_TRAIN_INFO_BALANCED:
        return t->evaluation.balanced;
    case SCARLET_TRAIN_INFO_EVAL_LOSS:
        return t->evaluation.loss;
    case SCARLET_TRAIN_INFO_BEST:
        return option(t, SCARLET_TRAIN_EVAL_METRIC) > 1 ? -p->best : p->best;
    case SCARLET_TRAIN_INFO_BEST_EPOCH:
        return isnan(p->best) ? NAN : (double)p->best_epoch;
    default:
        return NAN;
    }
}
