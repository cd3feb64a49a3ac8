#include "nas/data/loader.h"

#include <string.h>

#include "common/error.h"
#include "common/memory.h"

struct scarlet__loader {
    scarlet__loader_settings settings;
    scarlet_options *normalization;
    int64_t steps, epoch;
    size_t count;
    uint32_t *part;   /* training pictures, by class */
    size_t *first;    /* of each class in `part`, and the end */
    float *weight;    /* of each class; NULL: 1 */
    uint32_t *order;  /* of the epoch */
    int32_t *present; /* classes that have pictures */
    uint32_t present_count;
};

/* ---- making ---- */

static scarlet_status group(scarlet__loader *l, scarlet_error *err)
{
    int32_t classes = l->settings.dataset->classes;
    scarlet_status status =
        scarlet__dataset_by_class(l->settings.dataset, &l->first, &l->part, err);
    if (status != SCARLET_OK)
        return status;
    l->count = l->first[classes];
    l->order = scarlet__alloc(l->count, sizeof *l->order);
    l->present = scarlet__alloc((size_t)classes, sizeof *l->present);
    if (!l->order || !l->present)
        return scarlet__fail_memory(err);
    for (int32_t c = 0; c < classes; c++)
        if (l->first[c + 1] > l->first[c])
            l->present[l->present_count++] = c;
    return SCARLET_OK;
}

/* So that the mean over the pictures is 1. */
static scarlet_status weigh(scarlet__loader *l, scarlet_error *err)
{
    const float *given = l->settings.dataset->weight;
    if (!l->settings.class_weights && !given)
        return SCARLET_OK;
    size_t classes = (size_t)l->settings.dataset->classes;
    l->weight = scarlet__calloc(classes, sizeof *l->weight);
    double *weight = scarlet__calloc(classes, sizeof *weight), sum = 0;
    for (size_t c = 0; l->weight && weight && c < classes; c++) {
        double n = (double)(l->first[c + 1] - l->first[c]);
        weight[c] = given ? (double)given[c] : 1;
        if (l->settings.class_weights)
            weight[c] /= n > 0 ? n : 1;
        sum += weight[c] * n;
    }
    scarlet_status status = l->weight && weight ? SCARLET_OK : scarlet__fail_memory(err);
    if (status == SCARLET_OK && !(sum > 0))
        status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                               "all classes that have training pictures weigh 0");
    for (size_t c = 0; status == SCARLET_OK && c < classes; c++)
        l->weight[c] = (float)(weight[c] / sum * (double)l->count);
    scarlet__free(weight);
    return status;
}

static scarlet_status normalize(scarlet__loader *l, scarlet_error *err)
{
    l->normalization = scarlet_options_create();
    if (!l->normalization)
        return scarlet__fail_memory(err);
    int64_t side = l->settings.recipe.side;
    scarlet_status status = scarlet_options_set(l->normalization, SCARLET_OPT_CROP, side, err);
    if (status == SCARLET_OK)
        status = scarlet_options_set(l->normalization, SCARLET_OPT_RESIZE, side, err);
    if (status == SCARLET_OK)
        status =
            scarlet_options_set(l->normalization, SCARLET_OPT_LAYOUT, SCARLET_LAYOUT_NHWC, err);
    if (status == SCARLET_OK)
        status = scarlet_options_set_normalization(l->normalization, l->settings.mean,
                                                   l->settings.std, err);
    return status;
}

scarlet_status scarlet__loader_create(const scarlet__loader_settings *settings,
                                      scarlet__loader **out, scarlet_error *err)
{
    *out = NULL;
    scarlet__loader *l = scarlet__calloc(1, sizeof *l);
    if (!l)
        return scarlet__fail_memory(err);
    l->settings = *settings;
    l->epoch = -1;
    scarlet_status status = group(l, err);
    if (status == SCARLET_OK)
        status = weigh(l, err);
    if (status == SCARLET_OK)
        status = normalize(l, err);
    size_t batch = (size_t)settings->micro_batch * (size_t)settings->micro_batches;
    if (status == SCARLET_OK && l->count < batch)
        status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                               "%zu training pictures are fewer than the %zu of a step "
                               "(option batch-size)",
                               l->count, batch);
    if (status != SCARLET_OK) {
        scarlet__loader_free(l);
        return status;
    }
    l->steps = (int64_t)(l->count / batch);
    *out = l;
    return SCARLET_OK;
}

void scarlet__loader_free(scarlet__loader *l)
{
    if (!l)
        return;
    scarlet_options_free(l->normalization);
    scarlet__free(l->part);
    scarlet__free(l->first);
    scarlet__free(l->weight);
    scarlet__free(l->order);
    scarlet__free(l->present);
    scarlet__free(l);
}

/* ---- order ---- */

int64_t scarlet__loader_steps(const scarlet__loader *l)
{
    return l->steps;
}

static uint32_t draw_balanced(const scarlet__loader *l, scarlet__random *r)
{
    int32_t c = l->present[scarlet__random_below(r, l->present_count)];
    size_t n = l->first[c + 1] - l->first[c];
    return l->part[l->first[c] + scarlet__random_below(r, (uint32_t)n)];
}

void scarlet__loader_begin(scarlet__loader *l, int64_t epoch)
{
    if (l->epoch == epoch)
        return;
    l->epoch = epoch;
    scarlet__random r =
        scarlet__random_at(l->settings.seed, SCARLET__RANDOM_ORDER, (uint64_t)epoch, 0);
    if (l->settings.balanced) {
        for (size_t i = 0; i < l->count; i++)
            l->order[i] = draw_balanced(l, &r);
        return;
    }
    for (size_t i = 0; i < l->count; i++) { /* Fisher and Yates, from the inside out */
        uint32_t other = scarlet__random_below(&r, (uint32_t)i + 1);
        l->order[i] = l->order[other];
        l->order[other] = l->part[i];
    }
}

uint32_t scarlet__loader_order(const scarlet__loader *l, size_t place)
{
    return l->order[place];
}

/* ---- a micro-batch ---- */

/* The picture at `place`, or if that is broken the next one that is not. */
static scarlet_status take(const scarlet__loader *l, size_t place, uint32_t *index,
                           const scarlet_image **image, scarlet_error *err)
{
    for (size_t i = 0; i < l->count; i++) {
        *index = l->order[(place + i) % l->count];
        scarlet_status status = scarlet__pictures_take(l->settings.pictures, *index, image, err);
        if (status == SCARLET_OK || status == SCARLET_ERROR_MEMORY)
            return status;
        status = scarlet__pictures_check(l->settings.pictures, SCARLET_PART_TRAIN, err);
        if (status != SCARLET_OK)
            return status;
    }
    return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "no training picture can be read");
}

static void aim(const scarlet__loader *l, int32_t label, float *target)
{
    int32_t classes = l->settings.dataset->classes;
    double weight = l->weight ? l->weight[label] : 1, smoothing = l->settings.smoothing;
    for (int32_t c = 0; c < classes; c++)
        target[c] = (float)(weight * smoothing / classes);
    target[label] = (float)(weight * (1 - smoothing + smoothing / classes));
}

/* Each picture with its mirror image in the micro-batch; one in the middle stays. */
static void mix(const scarlet__loader *l, int64_t step, int index, float *pictures, float *targets)
{
    const scarlet__loader_settings *s = &l->settings;
    size_t classes = (size_t)s->dataset->classes, side = (size_t)s->recipe.side;
    size_t length = side * side * 3, n = (size_t)s->micro_batch;
    scarlet__random r =
        scarlet__random_at(s->seed, SCARLET__RANDOM_MIX, (uint64_t)step, (uint64_t)index);
    bool cut = s->cutmix > 0 && (!(s->mixup > 0) || scarlet__random_unit(&r) < 0.5);
    double share = scarlet__random_beta(&r, cut ? s->cutmix : s->mixup);
    scarlet__box box = {0};
    if (cut) {
        box = scarlet__cutmix_box(s->recipe.side, share, &r);
        share = 1 - (double)box.width * box.height / ((double)side * (double)side);
    }
    for (size_t i = 0; i < n / 2; i++) {
        float *a = pictures + i * length, *b = pictures + (n - 1 - i) * length;
        if (cut)
            scarlet__cutmix(&box, s->recipe.side, a, b);
        else
            scarlet__mixup(share, length, a, b);
        scarlet__mixup(share, classes, targets + i * classes, targets + (n - 1 - i) * classes);
    }
}

scarlet_status scarlet__loader_fetch(void *user, int64_t step, int index, float *pictures,
                                     float *targets, scarlet_error *err)
{
    const scarlet__loader *l = user;
    const scarlet__loader_settings *s = &l->settings;
    size_t micro_batch = (size_t)s->micro_batch, side = (size_t)s->recipe.side;
    size_t first =
        ((size_t)(step % l->steps) * (size_t)s->micro_batches + (size_t)index) * micro_batch;
    uint8_t *scratch = scarlet__alloc(side * side, 3);
    scarlet_status status = scratch ? SCARLET_OK : scarlet__fail_memory(err);
    for (size_t i = 0; status == SCARLET_OK && i < micro_batch; i++) {
        uint32_t picture;
        const scarlet_image *image;
        status = take(l, first + i, &picture, &image, err);
        if (status != SCARLET_OK)
            break;
        /* The place tells apart the draws of one picture within an epoch. */
        scarlet__random r = scarlet__random_at(s->seed, SCARLET__RANDOM_AUGMENT, (uint64_t)l->epoch,
                                               (uint64_t)(first + i) << 32 | picture);
        status = scarlet__augment(&s->recipe, image, l->normalization, r, scratch,
                                  pictures + i * side * side * 3, err);
        scarlet__pictures_give_back(s->pictures, picture, image);
        aim(l, s->dataset->sample[picture].label, targets + i * (size_t)s->dataset->classes);
    }
    scarlet__free(scratch);
    if (status == SCARLET_OK && (s->mixup > 0 || s->cutmix > 0))
        mix(l, step, index, pictures, targets);
    return status;
}
