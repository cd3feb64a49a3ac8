#include "bench.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLASSES = 10,
    SIDE = 28,
    BORDER = 2,
    PADDED = SIDE + 2 * BORDER,
    FILED = 60000, /* pictures of the training file */
    TRAINED = 30000,
    VALIDATED = 10000,
    SPARE = 2000,
    TESTED = 10000
};

static void open_idx(const char *folder, const char *part, scarlet_part as, scarlet_dataset **out)
{
    char images[4096], labels[4096];
    scarlet_error err;
    snprintf(images, sizeof images, "%s/%s-images-idx3-ubyte.gz", folder, part);
    snprintf(labels, sizeof labels, "%s/%s-labels-idx1-ubyte.gz", folder, part);
    must(scarlet_dataset_create(CLASSES, NULL, out, &err), &err);
    must(scarlet_dataset_add_idx(*out, images, labels, as, &err), &err);
}

/* Adds pictures first .. first + count - 1 with borders. */
static void add(pictures *p, const scarlet_dataset *from, int first, int count, scarlet_part part)
{
    for (int i = first; i < first + count; i++) {
        scarlet_image *image, *padded;
        scarlet_error err;
        int32_t label;
        size_t stride, at = scarlet_dataset_count(p->dataset) * PADDED * PADDED;
        must(scarlet_dataset_get(from, (size_t)i, &label, NULL, NULL), &err);
        must(scarlet_dataset_load(from, (size_t)i, NULL, &image, &err), &err);
        uint32_t width, height;
        const uint8_t *rgb = scarlet_image_pixels(image, &width, &height, &stride, NULL);
        if (width != SIDE || height != SIDE)
            fail("pictures of %u x %u instead of %d", width, height, SIDE);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                p->pixels[at + (size_t)((y + BORDER) * PADDED + x + BORDER)] =
                    rgb[(size_t)y * stride + (size_t)x * 3];
        scarlet_image_free(image);
        must(scarlet_image_wrap(p->pixels + at, PADDED, PADDED, PADDED, SCARLET_PIXELS_GRAY, NULL,
                                NULL, &padded, &err),
             &err);
        must(scarlet_dataset_add_image(p->dataset, padded, label, part, &err), &err);
    }
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

void pictures_load(pictures *p, const char *folder, int count, probe tested)
{
    scarlet_error err;
    const int trained = count ? count : TRAINED, most = count ? count : FILED;
    const int validated = least(VALIDATED, most);
    if (trained > FILED - VALIDATED - SPARE)
        fail("more than %d training pictures", FILED - VALIDATED - SPARE);
    p->pixels = must_alloc((size_t)(trained + VALIDATED + TESTED), PADDED * PADDED);
    must(scarlet_dataset_create(CLASSES, NULL, &p->dataset, &err), &err);
    scarlet_dataset *file;
    open_idx(folder, "train", SCARLET_PART_TRAIN, &file);
    add(p, file, 0, trained, SCARLET_PART_TRAIN);
    add(p, file, FILED - VALIDATED, validated, SCARLET_PART_VALIDATION);
    if (tested == PROBE_SPARE)
        add(p, file, FILED - VALIDATED - SPARE, least(SPARE, most), SCARLET_PART_TEST);
    scarlet_dataset_free(file);
    if (tested == PROBE_SPARE)
        return;
    open_idx(folder, "t10k", SCARLET_PART_TEST, &file);
    add(p, file, 0, least(TESTED, most), SCARLET_PART_TEST);
    scarlet_dataset_free(file);
}

void pictures_free(pictures *p)
{
    scarlet_dataset_free(p->dataset);
    free(p->pixels);
}

static void set(scarlet_train_options *opts, const char *name, int value)
{
    char text[16];
    scarlet_error err;
    snprintf(text, sizeof text, "%d", value);
    must(scarlet_train_options_set(opts, name, text, &err), &err);
}

void set_protocol(scarlet_train_options *opts, int epochs, int seed)
{
    static const char *const fixed[][2] = {
        {"optimizer", "sgd"},
        {"lr", "0.05"},
        {"momentum", "0.9"},
        {"weight-decay", "4e-5"},
        {"sched", "cosine"},
        {"warmup-epochs", "0"},
        {"ema", "off"},
        {"label-smoothing", "0.1"},
        {"mean", "0.286,0.286,0.286"},
        {"std", "0.353,0.353,0.353"},
        {"scale", "0.765625,0.765625"}, /* 28 x 28 of 32 x 32: a shift by up to 2 pixels */
        {"ratio", "1,1"},
        {"hflip", "0.5"},
        {"reprob", "0"},
    };
    scarlet_error err;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        must(scarlet_train_options_set(opts, fixed[i][0], fixed[i][1], &err), &err);
    set(opts, "epochs", epochs);
    set(opts, "batch-size", 64);
    set(opts, "micro-batch", 64);
    set(opts, "input-size", SIDE);
    set(opts, "resize", PADDED); /* nothing is resized: the centre is cut out */
    set(opts, "seed", seed);
    set(opts, "threads", 1);
}
