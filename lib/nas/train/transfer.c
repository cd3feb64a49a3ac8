/* Fine-tuning's first part: a new head on the features of the initial network, which are computed
 * once, without augmentation, by the inference engine. */
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/open.h"
#include "nas/train/head.h"
#include "nas/train/resolved.h"
#include "nas/train/run.h"

enum { AT_ONCE = 256 }; /* pictures between two calls of the program's callback */

static scarlet_status picture_options(const scarlet_trainer *t, scarlet_options **out,
                                      scarlet_error *err)
{
    const scarlet__metadata *m = t->changes;
    *out = scarlet_options_create();
    if (!*out)
        return scarlet__fail_memory(err);
    const struct {
        scarlet_option key;
        int64_t value;
    } settings[] = {
        {SCARLET_OPT_INPUT_SIZE, m->input_size},
        {SCARLET_OPT_CROP, m->input_size},
        {SCARLET_OPT_RESIZE, m->resize},
        {SCARLET_OPT_LAYOUT, SCARLET_LAYOUT_NHWC},
        {SCARLET_OPT_OUTPUT, SCARLET_OUTPUT_FEATURES},
    };
    scarlet_status status = scarlet_options_set_normalization(*out, m->mean, m->std, err);
    for (size_t i = 0; status == SCARLET_OK && i < sizeof settings / sizeof *settings; i++)
        status = scarlet_options_set(*out, settings[i].key, settings[i].value, err);
    return status;
}

typedef struct {
    scarlet_head *head;
    size_t first; /* vector of the first picture of this call */
    bool *there;  /* vectors; broken pictures have none */
} collector;

static void collect(void *user, size_t i, const float *values, size_t length)
{
    collector *c = user;
    memcpy(c->head->x + (c->first + i) * length, values, length * sizeof *values);
    c->there[c->first + i] = true;
}

/* Leaves out the rows of broken pictures. */
static void close_gaps(scarlet_head *head, const bool *there, size_t count)
{
    head->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!there[i])
            continue;
        memmove(head->x + head->count * head->features, head->x + i * head->features,
                head->features * sizeof *head->x);
        head->label[head->count++] = head->label[i];
    }
}

static scarlet_status compute(scarlet_trainer *t, scarlet_model *model, const uint32_t *index,
                              size_t count, collector *c, scarlet_error *err)
{
    scarlet_options *opts;
    scarlet_status status = picture_options(t, &opts, err);
    while (status == SCARLET_OK && c->first < count && !t->cancelled) {
        const scarlet__inference inference = {
            .model = model,
            .opts = opts,
            .pictures = t->pictures,
            .index = index + c->first,
            .count = count - c->first < AT_ONCE ? count - c->first : AT_ONCE,
            .threads = t->threads,
            .take = collect,
            .user = c,
        };
        status = scarlet__infer(&inference, err);
        t->features = c->first += inference.count;
        if (status == SCARLET_OK)
            scarlet__announce(t, SCARLET_TRAIN_EVENT_FEATURES);
    }
    scarlet_options_free(opts);
    if (status == SCARLET_OK)
        status = scarlet__pictures_check(t->pictures, SCARLET_PART_TRAIN, err);
    return status;
}

static scarlet_status load_initial(const scarlet_trainer *t, scarlet_model **model,
                                   scarlet_error *err)
{
    bool int8 = scarlet__train_number(t->options, SCARLET_TRAIN_FEATURES) > 0;
    scarlet_options *opts = scarlet_options_create();
    scarlet_status status = opts ? SCARLET_OK : scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = scarlet_options_set(opts, SCARLET_OPT_MAX_BYTES, INT64_MAX, err);
    if (status == SCARLET_OK)
        status =
            scarlet_options_set(opts, SCARLET_OPT_ISA_MAX, scarlet__resolved_isa(t->options), err);
    if (status == SCARLET_OK && int8)
        status = scarlet_options_set(opts, SCARLET_OPT_PRECISION, SCARLET_PRECISION_INT8, err);
    if (status == SCARLET_OK)
        status = scarlet_model_load(t->initial.source.name, opts, model, err);
    scarlet_options_free(opts);
    return status;
}

/* Features of all training pictures, with their labels. */
static scarlet_status fill(scarlet_trainer *t, scarlet_head *head, scarlet_error *err)
{
    size_t count;
    scarlet_model *model = NULL;
    uint32_t *index = scarlet__dataset_part(t->dataset, SCARLET_PART_TRAIN, &count);
    collector c = {.head = head, .there = scarlet__calloc(count, sizeof *c.there)};
    scarlet_status status =
        index && c.there ? scarlet__head_reserve(head, count, err) : scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = load_initial(t, &model, err);
    for (size_t i = 0; status == SCARLET_OK && i < count; i++)
        head->label[i] = t->dataset->sample[index[i]].label;
    if (status == SCARLET_OK)
        status = compute(t, model, index, count, &c, err);
    if (status == SCARLET_OK)
        close_gaps(head, c.there, count);
    scarlet_model_free(model);
    scarlet__free(index);
    scarlet__free(c.there);
    return status;
}

/* The weights of the initial network with the new head, by way of a file in memory. */
static scarlet_status load(scarlet_trainer *t, const scarlet_head *head, scarlet_error *err)
{
    scarlet__output memory;
    scarlet__source source;
    scarlet__tensors *tensors = NULL;
    const scarlet__metadata_text nothing = {0};
    const scarlet__head_file file = {.head = head,
                                     .base = t->initial.tensors,
                                     .network = &t->initial.network,
                                     .metadata = &nothing};
    scarlet__output_memory(&memory);
    scarlet_status status = scarlet__head_put(&file, &memory, t->initial.source.name, err);
    scarlet__source_memory(memory.data, memory.size, &source);
    if (status == SCARLET_OK)
        status = scarlet__tensors_open(&source, UINT64_MAX, &tensors, err);
    if (status == SCARLET_OK)
        status = scarlet__trainer_load(t->trainer, SCARLET__WEIGHTS, tensors, "", err);
    scarlet__tensors_free(tensors);
    scarlet__output_abandon(&memory);
    return status;
}

scarlet_status scarlet__transfer(scarlet_trainer *t, scarlet_error *err)
{
    scarlet_head *head;
    scarlet_status status =
        scarlet_head_create((size_t)t->network.space.tail, t->dataset->classes, NULL, &head, err);
    if (status == SCARLET_OK)
        status = fill(t, head, err);
    if (status == SCARLET_OK && !t->cancelled) {
        status = scarlet_head_fit(head, &t->loss, err);
        if (status == SCARLET_OK)
            status = load(t, head, err);
    }
    scarlet_head_free(head);
    return status;
}
