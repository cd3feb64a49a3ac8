/*
 * A supernet's file with changes: what is accepted can train, score and export, and be written and
 * read again; it is never a model file. Once more with an allocation that fails.
 *
 * An input is a list of changes to a valid file: kind, place (two bytes), number of bytes, and for
 * kinds but "delete" these bytes.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "scarlet/nas.h"

enum { SIDE = 8, CLASSES = 2, TRAIN = 64, VALIDATION = 3, ROOM = 1 << 16, ALLOCATIONS = 300 };

static const char space_text[] =
    "space stem=2 tail=1 layers=2:1,2:1\nchoices e3k3|e6k5,e3k3se|id\ninput_size 8\nclasses 2\n";

static char path[64];
static uint8_t valid[ROOM], changed[ROOM];
static size_t valid_size;

static scarlet_dataset *pictures(void)
{
    static uint8_t pixels[TRAIN + VALIDATION][SIDE * SIDE * 3];
    static scarlet_dataset *dataset;
    if (dataset)
        return dataset;
    MUST(scarlet_dataset_create(CLASSES, NULL, &dataset, NULL) == SCARLET_OK);
    for (unsigned i = 0; i < TRAIN + VALIDATION; i++) {
        scarlet_image *image;
        for (unsigned k = 0; k < sizeof pixels[i]; k++)
            pixels[i][k] = (uint8_t)((i * 31 + k * (k + 7)) % 251);
        MUST(scarlet_image_wrap(pixels[i], SIDE, SIDE, SIDE * 3, SCARLET_PIXELS_RGB, NULL, NULL,
                                &image, NULL) == SCARLET_OK);
        MUST(scarlet_dataset_add_image(dataset, image, (int32_t)(i % CLASSES),
                                       i < TRAIN ? SCARLET_PART_TRAIN : SCARLET_PART_VALIDATION,
                                       NULL) == SCARLET_OK);
    }
    return dataset;
}

static size_t read_file(uint8_t *out)
{
    FILE *file = fopen(path, "rb");
    MUST(file);
    const size_t size = fread(out, 1, ROOM, file);
    MUST(size > 0 && size < ROOM && fclose(file) == 0);
    return size;
}

/* The file that inputs change. */
static void make_valid(void)
{
    const scarlet_supernet_settings settings = {.let = 1, .share = SCARLET_SHARE_WIDTH};
    scarlet_space *space;
    scarlet_supernet *net;
    scarlet_train_options *opts = scarlet_supernet_options();
    MUST(opts);
    MUST(scarlet_train_options_set(opts, "epochs", "2", NULL) == SCARLET_OK);
    MUST(scarlet_train_options_set(opts, "batch-size", "8", NULL) == SCARLET_OK);
    MUST(scarlet_train_options_set(opts, "threads", "1", NULL) == SCARLET_OK);
    MUST(scarlet_space_parse(space_text, &space, NULL) == SCARLET_OK);
    MUST(scarlet_supernet_create(space, pictures(), &settings, opts, &net, NULL) == SCARLET_OK);
    MUST(scarlet_supernet_step(net, NULL) == SCARLET_OK);
    MUST(scarlet_supernet_write(net, path, NULL) == SCARLET_OK);
    valid_size = read_file(valid);
    scarlet_supernet_free(net);
    scarlet_space_free(space);
    scarlet_train_options_free(opts);
}

/* The header's length follows a change within it, so that what it holds is reached. */
static void resize_header(size_t at, size_t removed, size_t added)
{
    uint64_t length;
    memcpy(&length, changed, sizeof length);
    if (at < sizeof length || length > ROOM || at + removed > sizeof length + length)
        return;
    length = length - removed + added;
    memcpy(changed, &length, sizeof length);
}

/* Applies the changes; returns the size of the changed file. */
static size_t change(const uint8_t *data, size_t size)
{
    size_t length = valid_size;
    memcpy(changed, valid, valid_size);
    while (size >= 4 && length > sizeof(uint64_t)) {
        const size_t at = (size_t)(data[1] | data[2] << 8) % length, kind = data[0] % 3;
        size_t count = data[3] % 64;
        data += 4;
        size -= 4;
        if (kind == 0) { /* delete */
            count = count < length - at ? count : length - at;
            memmove(changed + at, changed + at + count, length - at - count);
            length -= count;
            resize_header(at, count, 0);
            continue;
        }
        count = count < size ? count : size;
        count = count < ROOM - length ? count : ROOM - length;
        if (kind == 1) { /* insert */
            memmove(changed + at + count, changed + at, length - at);
            length += count;
            resize_header(at, 0, count);
        }
        count = count < length - at ? count : length - at;
        memcpy(changed + at, data, count);
        data += count;
        size -= count;
    }
    return length;
}

/* Whether what an error says is a text. */
static bool said(scarlet_status status, const scarlet_error *err)
{
    return status == SCARLET_OK ||
           (err->status == status && *err->message && memchr(err->message, 0, sizeof err->message));
}

static void use(scarlet_supernet *net)
{
    const scarlet_space *space = scarlet_supernet_space(net);
    char genotype[SCARLET_GENOTYPE_SIZE];
    scarlet_error err;
    scarlet_score score;
    double difference = 0;
    MUST(scarlet_supernet_get(net, SCARLET_SUPERNET_STEP) <=
         scarlet_supernet_get(net, SCARLET_SUPERNET_STEPS));
    MUST(scarlet_space_sample(space, SCARLET_SAMPLING_UNIFORM, 1, 0, genotype, &err) == SCARLET_OK);
    if (scarlet_space_get(space, SCARLET_SPACE_INPUT_SIZE) > 2 * SIDE)
        return; /* it takes long */
    MUST(said(scarlet_supernet_step(net, &err), &err));
    MUST(said(scarlet_supernet_score(net, genotype, SCARLET_PART_VALIDATION, &score, &err), &err));
    MUST(said(scarlet_supernet_export(net, genotype, path, 0, NULL, &difference, &err), &err));
    scarlet_supernet *again = NULL;
    MUST(scarlet_supernet_write(net, path, &err) == SCARLET_OK);
    MUST(scarlet_supernet_load(path, pictures(), 1, &again, &err) == SCARLET_OK);
    scarlet_supernet_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scarlet_supernet *net;
    scarlet_model *model;
    scarlet_error err;
    if (!valid_size) {
        snprintf(path, sizeof path, "/tmp/scarlet-fuzz-%ld", (long)getpid());
        make_valid();
    }
    const size_t length = change(data, size);
    const char *file = fuzz_file(0, changed, length);
    scarlet_status status = scarlet_model_load(file, NULL, &model, &err);
    MUST(status != SCARLET_OK && said(status, &err));
    status = scarlet_supernet_load(file, pictures(), 1, &net, &err);
    MUST((status == SCARLET_OK) == (net != NULL) && said(status, &err));
    if (net)
        use(net);
    scarlet_supernet_free(net);
    unlink(path);
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = scarlet_supernet_load(file, pictures(), 1, &net, NULL);
    fuzz_starve(0);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    scarlet_supernet_free(net);
    return 0;
}
