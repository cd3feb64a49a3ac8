/* Training pictures as the network sees them. */
#include <math.h>

#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "nas/options.h"
#include "nas/train/run.h"

static void release(void *user, const void *pixels)
{
    (void)pixels;
    scarlet__free(user);
}

static uint8_t to_byte(double x)
{
    return (uint8_t)(x <= 0 ? 0 : x >= 1 ? 255 : lrint(255 * x));
}

/* Undoes the normalization. */
static scarlet_status picture_of(const scarlet_trainer *t, const float *input, scarlet_image **out,
                                 scarlet_error *err)
{
    double mean[3], std[3];
    size_t side = (size_t)scarlet__train_number(t->options, SCARLET_TRAIN_INPUT_SIZE);
    scarlet__train_numbers(t->options, SCARLET_TRAIN_MEAN, mean);
    scarlet__train_numbers(t->options, SCARLET_TRAIN_STD, std);
    uint8_t *pixels = scarlet__alloc(side * side, 3);
    if (!pixels)
        return scarlet__fail_memory(err);
    for (size_t i = 0; i < 3 * side * side; i++)
        pixels[i] = to_byte((double)input[i] * std[i % 3] + mean[i % 3]);
    scarlet_status status = scarlet_image_wrap(pixels, (uint32_t)side, (uint32_t)side, 3 * side,
                                               SCARLET_PIXELS_RGB, release, pixels, out, err);
    if (status != SCARLET_OK)
        scarlet__free(pixels);
    return status;
}

static int32_t label_of(const float *target, int32_t classes)
{
    int32_t label = 0;
    for (int32_t c = 1; c < classes; c++)
        label = target[c] > target[label] ? c : label;
    return label;
}

scarlet_status scarlet_trainer_samples(scarlet_trainer *t, size_t count, scarlet_image **images,
                                       int32_t *labels, scarlet_error *err)
{
    if (!t || !images || !labels)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !t       ? "trainer"
                             : images ? "labels"
                                      : "images");
    size_t side = (size_t)scarlet__train_number(t->options, SCARLET_TRAIN_INPUT_SIZE);
    size_t micro_batch = (size_t)scarlet__train_number(t->options, SCARLET_TRAIN_MICRO_BATCH);
    size_t classes = (size_t)t->dataset->classes, length = 3 * side * side, made = 0;
    if (count > micro_batch)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "%zu samples: a micro-batch has %zu pictures", count, micro_batch);
    scarlet__host host = scarlet__host_enter();
    float *pictures = scarlet__alloc(micro_batch, length * sizeof *pictures);
    float *targets = scarlet__alloc(micro_batch, classes * sizeof *targets);
    scarlet_status status = pictures && targets ? SCARLET_OK : scarlet__fail_memory(err);
    if (status == SCARLET_OK) {
        scarlet__loader_begin(t->loader, 0);
        status = scarlet__loader_fetch(t->loader, 0, 0, pictures, targets, err);
    }
    for (; status == SCARLET_OK && made < count; made++) {
        labels[made] = label_of(targets + made * classes, t->dataset->classes);
        status = picture_of(t, pictures + made * length, &images[made], err);
    }
    if (status != SCARLET_OK)
        while (made-- > 0)
            scarlet_image_free(images[made]);
    scarlet__free(targets);
    scarlet__free(pictures);
    scarlet__host_leave(&host);
    return status;
}
