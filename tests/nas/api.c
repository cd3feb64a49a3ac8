/*
 * nas.h from a program's side: datasets in memory, a step or an epoch at a time, heads; every
 * function called wrongly; every allocation failing in turn.
 *
 *   api MODEL     a small model with 5 classes
 */
#include <math.h>
#include <unistd.h>

#include "common/memory.h"
#include "scarlet/nas.h"
#include "test.h"

static scarlet_error err;

/* Expects ARGUMENT with exactly this text. */
#define REFUSED(call, text)                                                                        \
    do {                                                                                           \
        memset(&err, 0xAA, sizeof err);                                                            \
        CHECK((call) == SCARLET_ERROR_ARGUMENT);                                                   \
        CHECK(err.status == SCARLET_ERROR_ARGUMENT && err.detail == 0);                            \
        CHECK_TEXT(err.message, text);                                                             \
    } while (0)

static bool fine(scarlet_status status)
{
    if (status != SCARLET_OK)
        fprintf(stderr, "%s\n", err.message);
    return CHECK(status == SCARLET_OK);
}

/* ---- a dataset of frames ---- */

enum { SIDE = 16, FRAMES = 48 };
static uint8_t frames[FRAMES][SIDE * SIDE * 4];
static int released;

static void release(void *user, const void *pixels)
{
    CHECK(user == &released && pixels >= (void *)frames && pixels < (void *)(frames + FRAMES));
    released++;
}

/* Class 0 is dark on the left, class 1 on the right. */
static void draw_frames(void)
{
    for (int i = 0; i < FRAMES; i++)
        for (int at = 0; at < SIDE * SIDE * 4; at++) {
            bool right = at / 4 % SIDE >= SIDE / 2;
            frames[i][at] = (uint8_t)((right == (i % 2) ? 160 : 40) + test_draw() % 50);
        }
}

/* The number of failed allocations is not counted: NULL if there was one. */
static scarlet_dataset *frames_dataset(scarlet_pixels format)
{
    static const char *const names[] = {"left", "right"};
    scarlet_dataset *d;
    size_t stride = format == SCARLET_PIXELS_RGBA ? 4 * SIDE : SIDE;
    scarlet_status status = scarlet_dataset_create(2, names, &d, &err);
    for (int i = 0; i < FRAMES && status == SCARLET_OK; i++) {
        scarlet_image *image;
        status = scarlet_image_wrap(frames[i], SIDE, SIDE, stride, format, release, &released,
                                    &image, &err);
        if (status != SCARLET_OK)
            break;
        scarlet_part part = i < 32   ? SCARLET_PART_TRAIN
                            : i < 40 ? SCARLET_PART_VALIDATION
                                     : SCARLET_PART_TEST;
        status = scarlet_dataset_add_image(d, image, i % 2, part, &err);
        if (status != SCARLET_OK)
            scarlet_image_free(image);
    }
    if (status == SCARLET_OK)
        return d;
    scarlet_dataset_free(d);
    return NULL;
}

static scarlet_train_options *small_options(void)
{
    static const char *const settings[][2] = {
        {"arch", "e3k3"},     {"space", "stem=8 tail=16 layers=8:2"},
        {"input-size", "16"}, {"resize", "16"},
        {"epochs", "4"},      {"batch-size", "8"},
        {"micro-batch", "4"}, {"threads", "1"},
        {"lr", "0.02"},       {"aug", "none"},
        {"hflip", "0"},
    };
    scarlet_train_options *opts = scarlet_train_options_create();
    for (size_t i = 0; opts && i < sizeof settings / sizeof *settings; i++)
        if (scarlet_train_options_set(opts, settings[i][0], settings[i][1], &err) != SCARLET_OK) {
            scarlet_train_options_free(opts);
            return NULL;
        }
    return opts;
}

/* ---- training from memory ---- */

static int events[6];
static int32_t cancel_on;

static int32_t count_event(void *user, const scarlet_trainer *t, scarlet_train_event event)
{
    CHECK(user == events && event >= 1 && event <= 5);
    CHECK(isfinite(scarlet_trainer_get(t, SCARLET_TRAIN_INFO_LOSS)));
    events[event]++;
    return (int32_t)event == cancel_on;
}

static double get(const scarlet_trainer *t, scarlet_train_info what)
{
    return scarlet_trainer_get(t, what);
}

static void check_model(const char *path)
{
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    scarlet_image *image = NULL;
    scarlet_prediction top;
    int right = 0;
    fine(scarlet_model_load(path, NULL, &model, &err));
    fine(scarlet_session_create(model, NULL, &session, &err));
    CHECK_TEXT(scarlet_model_label(model, 0), "left");
    CHECK_TEXT(scarlet_model_label(model, 1), "right");
    for (int i = 40; i < FRAMES; i++) {
        fine(scarlet_image_wrap(frames[i], SIDE, SIDE, 4 * SIDE, SCARLET_PIXELS_RGBA, NULL, NULL,
                                &image, &err));
        fine(scarlet_classify(session, image, NULL, 1, &top, NULL, &err));
        right += top.class_id == i % 2;
        scarlet_image_free(image);
    }
    CHECK(right >= 7);
    scarlet_session_free(session);
    scarlet_model_free(model);
}

static void training(void)
{
    char path[] = "/tmp/scarlet-nas-XXXXXX";
    scarlet_trainer *t = NULL;
    scarlet_train_options *opts = small_options();
    scarlet_dataset *d = frames_dataset(SCARLET_PIXELS_RGBA);
    if (!CHECK(d && opts) || !fine(scarlet_trainer_create(d, opts, NULL, &t, &err)))
        return;
    scarlet_train_options_free(opts);
    scarlet_trainer_set_callback(t, count_event, events);
    CHECK_TEXT(scarlet_train_options_text(scarlet_trainer_options(t), SCARLET_TRAIN_OPTIMIZER),
               "adamw");
    double value;
    fine(scarlet_train_options_get(scarlet_trainer_options(t), SCARLET_TRAIN_EMA_DECAY, &value, 1,
                                   &err));
    CHECK(value > 0 && value < 1);
    CHECK(get(t, SCARLET_TRAIN_INFO_STEPS) == 16 && get(t, SCARLET_TRAIN_INFO_EPOCHS) == 4);
    CHECK(get(t, SCARLET_TRAIN_INFO_STEPS_PER_EPOCH) == 4);
    CHECK(get(t, SCARLET_TRAIN_INFO_PICTURES) == 32);
    CHECK(get(t, SCARLET_TRAIN_INFO_BYTES) > 1000);
    CHECK(isnan(get(t, SCARLET_TRAIN_INFO_LOSS)) && isnan(get(t, SCARLET_TRAIN_INFO_BEST)));

    fine(scarlet_trainer_step(t, &err));
    CHECK(get(t, SCARLET_TRAIN_INFO_STEP) == 1 && get(t, SCARLET_TRAIN_INFO_EPOCH) == 0);
    fine(scarlet_trainer_epoch(t, &err));
    CHECK(get(t, SCARLET_TRAIN_INFO_STEP) == 4 && get(t, SCARLET_TRAIN_INFO_EPOCH) == 1);
    CHECK(get(t, SCARLET_TRAIN_INFO_COUNT) == 8 && get(t, SCARLET_TRAIN_INFO_BEST_EPOCH) == 1);
    cancel_on = SCARLET_TRAIN_EVENT_STEP;
    fine(scarlet_trainer_run(t, &err));
    CHECK(get(t, SCARLET_TRAIN_INFO_STEP) == 5 && get(t, SCARLET_TRAIN_INFO_FINISHED) == 0);
    cancel_on = 0;
    fine(scarlet_trainer_run(t, &err));
    CHECK(get(t, SCARLET_TRAIN_INFO_STEP) == 16 && get(t, SCARLET_TRAIN_INFO_FINISHED) == 1);
    CHECK(events[SCARLET_TRAIN_EVENT_STEP] == 16 && events[SCARLET_TRAIN_EVENT_EPOCH] == 4);
    fine(scarlet_trainer_step(t, &err)); /* nothing is left to do */
    CHECK(events[SCARLET_TRAIN_EVENT_STEP] == 16);

    fine(scarlet_trainer_evaluate(t, SCARLET_PART_TEST, &err));
    CHECK(get(t, SCARLET_TRAIN_INFO_COUNT) == 8 && get(t, SCARLET_TRAIN_INFO_TOP1) >= 0.875);
    CHECK(get(t, SCARLET_TRAIN_INFO_BALANCED) == get(t, SCARLET_TRAIN_INFO_TOP1));
    if (CHECK(close(mkstemp(path)) == 0) && fine(scarlet_trainer_write(t, path, &err)))
        check_model(path);
    unlink(path);
    CHECK(scarlet_trainer_broken(t, 0, NULL, NULL) == SCARLET_ERROR_ARGUMENT);
    scarlet_trainer_free(t);
    CHECK(released == 0);
    scarlet_dataset_free(d);
    CHECK(released == FRAMES);
}

/* ---- pictures ---- */

/* Is it frame i? */
static bool is_frame(const scarlet_image *image, int i)
{
    uint32_t width, height;
    size_t stride;
    scarlet_pixels format;
    const uint8_t *pixels = scarlet_image_pixels(image, &width, &height, &stride, &format);
    bool same = width == SIDE && height == SIDE && format == SCARLET_PIXELS_RGB;
    for (size_t at = 0; same && at < SIDE * SIDE; at++)
        same = memcmp(pixels + at / SIDE * stride + at % SIDE * 3, frames[i] + 4 * at, 3) == 0;
    return same;
}

/* A dataset gives its pictures back; without augmentation the network sees training pictures. */
static void pictures(void)
{
    scarlet_trainer *t = NULL;
    scarlet_train_options *opts = small_options();
    scarlet_dataset *d = frames_dataset(SCARLET_PIXELS_RGBA);
    scarlet_image *image[4] = {NULL};
    int32_t label[4];
    for (size_t i = 0; i < FRAMES; i++)
        if (fine(scarlet_dataset_load(d, i, NULL, image, &err))) {
            CHECK(is_frame(image[0], (int)i));
            scarlet_image_free(image[0]);
        }
    if (!fine(scarlet_trainer_create(d, opts, NULL, &t, &err)))
        return;
    fine(scarlet_trainer_step(t, &err));
    fine(scarlet_trainer_samples(t, 4, image, label, &err));
    int seen = 0;
    for (int i = 0; i < 4; i++) {
        for (int frame = label[i]; frame < 32; frame += 2)
            seen += is_frame(image[i], frame);
        scarlet_image_free(image[i]);
    }
    CHECK(seen == 4);
    REFUSED(scarlet_trainer_samples(t, 5, image, label, &err),
            "5 samples: a micro-batch has 4 pictures");
    REFUSED(scarlet_trainer_samples(t, 1, NULL, label, &err), "images is NULL");
    REFUSED(scarlet_trainer_samples(t, 1, image, NULL, &err), "labels is NULL");
    REFUSED(scarlet_trainer_samples(NULL, 1, image, label, &err), "trainer is NULL");
    REFUSED(scarlet_dataset_load(d, FRAMES, NULL, image, &err), "picture 48: there are 48");
    REFUSED(scarlet_dataset_load(d, 0, NULL, NULL, &err), "out is NULL");
    REFUSED(scarlet_dataset_load(NULL, 0, NULL, image, &err), "dataset is NULL");
    scarlet_trainer_free(t);
    scarlet_train_options_free(opts);
    scarlet_dataset_free(d);
    released = 0;
}

/* Planar frames and regions are pictures like others. */
static void formats(void)
{
    scarlet_trainer *t;
    scarlet_train_options *opts = small_options();
    fine(scarlet_train_options_set(opts, "threads", "3", &err));
    scarlet_pixels kinds[] = {SCARLET_PIXELS_GRAY, SCARLET_PIXELS_NV12, SCARLET_PIXELS_I420};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int crop = 0; crop < 2; crop++) {
            scarlet_dataset *d = frames_dataset(kinds[i]);
            fine(scarlet_train_options_set(opts, "aug", crop ? "standard" : "none", &err));
            if (fine(scarlet_trainer_create(d, opts, NULL, &t, &err)))
                fine(scarlet_trainer_epoch(t, &err));
            CHECK(isfinite(get(t, SCARLET_TRAIN_INFO_EVAL_LOSS)));
            scarlet_trainer_free(t);
            scarlet_dataset_free(d);
        }
    scarlet_train_options_free(opts);
}

/* ---- heads ---- */

static bool write_and_compare(const scarlet_head *head, const char *base, const float *input,
                              size_t length, const float *features, size_t count)
{
    char path[] = "/tmp/scarlet-nas-XXXXXX";
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    float expected[3], found[3];
    CHECK(close(mkstemp(path)) == 0);
    fine(scarlet_head_scores(head, features, count, expected, 3, &err));
    bool ok = fine(scarlet_head_write(head, base, path, NULL, &err)) &&
              fine(scarlet_model_load(path, NULL, &model, &err)) &&
              fine(scarlet_session_create(model, NULL, &session, &err)) &&
              fine(scarlet_infer(session, input, length, 1, found, 3, &err));
    for (int c = 0; ok && c < 3; c++)
        CHECK(fabsf(found[c] - expected[c]) < 1e-3f * (1 + fabsf(expected[c])));
    CHECK_TEXT(scarlet_model_label(model, 2), "c");
    scarlet_session_free(session);
    scarlet_model_free(model);
    unlink(path);
    return ok;
}

/* Three classes of features of the small model: pictures of one colour each, with noise. */
static void heads(const char *base)
{
    static const char *const names[] = {"a", "b", "c"};
    scarlet_options *opts = scarlet_options_create();
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    scarlet_head *head = NULL;
    fine(scarlet_options_parse(opts, "output=features", &err));
    fine(scarlet_model_load(base, NULL, &model, &err));
    fine(scarlet_session_create(model, opts, &session, &err));
    size_t length, count = (size_t)scarlet_model_get(model, SCARLET_INFO_FEATURES);
    float *input = scarlet_session_input(session, &length),
          *features = malloc(count * sizeof(float));
    fine(scarlet_head_create(count, 3, names, &head, &err));
    for (int i = 0; i < 31; i++) { /* the last is not added */
        for (size_t k = 0; k < length; k++)
            input[k] = (float)(test_draw() % 1000) / 500 - 1 + (k * 3 / length == (size_t)i % 3);
        fine(scarlet_infer(session, input, length, 1, features, count, &err));
        if (i < 30)
            fine(scarlet_head_add(head, features, count, i % 3, &err));
    }
    double loss = NAN;
    float scores[3];
    REFUSED(scarlet_head_scores(head, features, count, scores, 3, &err),
            "the head is not fitted yet");
    fine(scarlet_head_fit(head, &loss, &err));
    CHECK(loss > 0 && loss < 0.5);
    fine(scarlet_head_scores(head, features, count, scores, 3, &err));
    CHECK(scores[0] > scores[1] && scores[0] > scores[2]);
    write_and_compare(head, base, input, length, features, count);
    CHECK(scarlet_head_write(head, "/no/model", "/tmp/x", NULL, &err) == SCARLET_ERROR_IO);
    CHECK(scarlet_head_write(head, base, "/no/folder/x", NULL, &err) == SCARLET_ERROR_IO);
    free(features);
    scarlet_head_free(head);
    scarlet_session_free(session);
    scarlet_model_free(model);
    scarlet_options_free(opts);
}

/* ---- misuse ---- */

static void wrong_datasets(void)
{
    static const char *const bad[] = {"fine", "\xff"}, *const missing[] = {"fine", NULL};
    scarlet_dataset *d = (scarlet_dataset *)1;
    uint64_t hash;
    REFUSED(scarlet_dataset_create(2, NULL, NULL, &err), "out is NULL");
    REFUSED(scarlet_dataset_create(1, NULL, &d, &err), "1 classes: 2 to 1000000 are possible");
    CHECK(!d);
    REFUSED(scarlet_dataset_create(2, bad, &d, &err), "the name of class 1 is not UTF-8");
    REFUSED(scarlet_dataset_create(2, missing, &d, &err), "the name of class 1 is NULL");
    REFUSED(scarlet_dataset_add_file(NULL, "x", 0, SCARLET_PART_TRAIN, &err), "dataset is NULL");
    fine(scarlet_dataset_create(2, NULL, &d, &err));
    REFUSED(scarlet_dataset_add_file(d, NULL, 0, SCARLET_PART_TRAIN, &err), "the picture is NULL");
    REFUSED(scarlet_dataset_add_file(d, "x", 2, SCARLET_PART_TRAIN, &err),
            "label 2: there are 2 classes");
    REFUSED(scarlet_dataset_add_file(d, "x", -1, SCARLET_PART_TRAIN, &err),
            "label -1: there are 2 classes");
    REFUSED(scarlet_dataset_add_file(d, "x", 0, (scarlet_part)3, &err), "unknown part 3");
    REFUSED(scarlet_dataset_add_bytes(d, NULL, 1, 0, SCARLET_PART_TRAIN, &err),
            "the picture is NULL");
    REFUSED(scarlet_dataset_add_image(d, NULL, 0, SCARLET_PART_TRAIN, &err), "the picture is NULL");
    REFUSED(scarlet_dataset_add_idx(d, NULL, "x", SCARLET_PART_TRAIN, &err), "images is NULL");
    REFUSED(scarlet_dataset_add_idx(d, "x", NULL, SCARLET_PART_TRAIN, &err), "labels is NULL");
    CHECK(scarlet_dataset_add_idx(d, "/no/x", "/no/y", SCARLET_PART_TRAIN, &err) ==
          SCARLET_ERROR_IO);
    REFUSED(scarlet_dataset_split(NULL, 0.5, 1, &err), "dataset is NULL");
    for (int i = 0; i < 4; i++)
        REFUSED(scarlet_dataset_split(d, (const double[]){0, 1, -1, NAN}[i], 1, &err),
                "the share of validation pictures is above 0 and below 1");
    REFUSED(scarlet_dataset_set_class_weights(NULL, NULL, 0, &err), "dataset is NULL");
    REFUSED(scarlet_dataset_set_class_weights(d, (const float[]){1, 2, 3}, 3, &err),
            "weights of 3 classes; there are 2");
    REFUSED(scarlet_dataset_set_class_weights(d, (const float[]){1, -1}, 2, &err),
            "the weight of class 1 is below 0 or not finite");
    REFUSED(scarlet_dataset_set_class_weights(d, (const float[]){INFINITY, 1}, 2, &err),
            "the weight of class 0 is below 0 or not finite");
    REFUSED(scarlet_dataset_set_class_weights(d, (const float[]){0, 0}, 2, &err),
            "all weights are 0");
    fine(scarlet_dataset_set_class_weights(d, NULL, 0, &err));
    REFUSED(scarlet_dataset_hash(d, NULL, &err), "hash is NULL");
    REFUSED(scarlet_dataset_hash(NULL, &hash, &err), "dataset is NULL");
    CHECK(scarlet_dataset_count(NULL) == 0 && scarlet_dataset_classes(NULL) == 0);
    CHECK(scarlet_dataset_count(d) == 0 && scarlet_dataset_classes(d) == 2);
    CHECK(scarlet_dataset_get(d, 0, NULL, NULL, NULL) == SCARLET_ERROR_ARGUMENT);
    fine(scarlet_dataset_add_file(d, "x", 1, SCARLET_PART_TEST, &err));
    int32_t label;
    scarlet_part part;
    const char *path;
    CHECK(scarlet_dataset_get(d, 0, &label, &part, &path) == SCARLET_OK);
    CHECK(label == 1 && part == SCARLET_PART_TEST);
    CHECK_TEXT(path, "x");
    scarlet_dataset_free(d);
    scarlet_dataset_free(NULL);
}

static void wrong_options(void)
{
    scarlet_train_options *opts = scarlet_train_options_create();
    double value[3];
    const char *name, *dflt, *help;
    scarlet_train_option key;
    REFUSED(scarlet_train_options_set(NULL, "lr", "1", &err), "opts is NULL");
    REFUSED(scarlet_train_options_set(opts, NULL, "1", &err), "name is NULL");
    REFUSED(scarlet_train_options_set(opts, "lr", NULL, &err), "value is NULL");
    REFUSED(scarlet_train_options_set(opts, "space", "a\nb", &err),
            "option space: \"a?b\"; expected a line of text");
    REFUSED(scarlet_train_options_get(opts, SCARLET_TRAIN_LR, NULL, 1, &err), "values is NULL");
    REFUSED(scarlet_train_options_get(NULL, SCARLET_TRAIN_LR, value, 1, &err), "opts is NULL");
    REFUSED(scarlet_train_options_get(opts, (scarlet_train_option)0, value, 1, &err),
            "unknown training option 0");
    REFUSED(scarlet_train_options_get(opts, SCARLET_TRAIN_MEAN, value, 1, &err),
            "option mean has 3 numbers, not 1");
    REFUSED(scarlet_train_options_get(opts, SCARLET_TRAIN_ARCH, value, 0, &err),
            "option arch has 0 numbers, not 0");
    fine(scarlet_train_options_set(opts, "scale", " 0.5,1 ", &err));
    CHECK_TEXT(scarlet_train_options_text(opts, SCARLET_TRAIN_SCALE), "0.5,1");
    fine(scarlet_train_options_get(opts, SCARLET_TRAIN_SCALE, value, 2, &err));
    CHECK(value[0] == 0.5 && value[1] == 1);
    fine(scarlet_train_options_set(opts, "std", "0.25", &err));
    fine(scarlet_train_options_get(opts, SCARLET_TRAIN_STD, value, 3, &err));
    CHECK(value[0] == 0.25 && value[1] == 0.25 && value[2] == 0.25);
    fine(scarlet_train_options_set(opts, "mean", "0.5:0.25:-1", &err));
    fine(scarlet_train_options_get(opts, SCARLET_TRAIN_MEAN, value, 3, &err));
    CHECK(value[0] == 0.5 && value[1] == 0.25 && value[2] == -1);
    fine(scarlet_train_options_set(opts, "freeze", "backbone", &err));
    fine(scarlet_train_options_get(opts, SCARLET_TRAIN_FREEZE, value, 1, &err));
    CHECK(value[0] == -1);
    CHECK(!scarlet_train_options_text(opts, (scarlet_train_option)0));
    CHECK(!scarlet_train_options_copy(NULL));
    size_t rows = 0;
    uint64_t keys = 0;
    for (; scarlet_train_option_describe(rows, &key, &name, NULL, NULL, NULL, &dflt, &help) ==
           SCARLET_OK;
         rows++) {
        CHECK(*name && *help && dflt && key >= 1 && key <= 63 && !(keys >> key & 1));
        keys |= UINT64_C(1) << key;
        fine(scarlet_train_options_set(opts, name, dflt, &err));
    }
    CHECK(keys == (UINT64_C(1) << (rows + 1)) - 2); /* all from 1 on */
    CHECK_TEXT(scarlet_train_option_value_name(SCARLET_TRAIN_SCHED, 2), "constant");
    CHECK(!scarlet_train_option_value_name(SCARLET_TRAIN_SCHED, 3));
    scarlet_train_options_free(opts);
    scarlet_train_options_free(NULL);
}

static void wrong_trainers(void)
{
    scarlet_trainer *t = (scarlet_trainer *)1;
    scarlet_dataset *d;
    fine(scarlet_dataset_create(2, NULL, &d, &err));
    REFUSED(scarlet_trainer_create(d, NULL, NULL, NULL, &err), "out is NULL");
    REFUSED(scarlet_trainer_create(NULL, NULL, NULL, &t, &err), "dataset is NULL");
    CHECK(!t);
    REFUSED(scarlet_trainer_resume(d, NULL, NULL, &t, &err), "folder is NULL");
    REFUSED(scarlet_trainer_create(d, NULL, NULL, &t, &err),
            "the dataset has no training pictures");
    REFUSED(scarlet_trainer_step(NULL, &err), "trainer is NULL");
    REFUSED(scarlet_trainer_epoch(NULL, &err), "trainer is NULL");
    REFUSED(scarlet_trainer_run(NULL, &err), "trainer is NULL");
    REFUSED(scarlet_trainer_evaluate(NULL, SCARLET_PART_TEST, &err), "trainer is NULL");
    REFUSED(scarlet_trainer_write(NULL, "x", &err), "trainer is NULL");
    CHECK(isnan(scarlet_trainer_get(NULL, SCARLET_TRAIN_INFO_STEP)));
    CHECK(!scarlet_trainer_options(NULL));
    CHECK(scarlet_trainer_broken(NULL, 0, NULL, NULL) == SCARLET_ERROR_ARGUMENT);
    scarlet_trainer_set_callback(NULL, count_event, NULL);
    scarlet_trainer_free(NULL);
    scarlet_dataset_free(d);

    scarlet_train_options *opts = small_options();
    d = frames_dataset(SCARLET_PIXELS_RGBA);
    if (fine(scarlet_trainer_create(d, opts, NULL, &t, &err))) {
        REFUSED(scarlet_trainer_evaluate(t, (scarlet_part)7, &err), "unknown part 7");
        REFUSED(scarlet_trainer_write(t, NULL, &err), "path is NULL");
        CHECK(isnan(scarlet_trainer_get(t, (scarlet_train_info)999)));
    }
    scarlet_trainer_free(t);
    fine(scarlet_train_options_set(opts, "arch", "e3k3,e9k3", &err));
    CHECK(scarlet_trainer_create(d, opts, NULL, &t, &err) == SCARLET_ERROR_ARGUMENT && !t);
    fine(scarlet_train_options_set(opts, "initial-checkpoint", "/no/model", &err));
    CHECK(scarlet_trainer_create(d, opts, NULL, &t, &err) == SCARLET_ERROR_IO && !t);
    CHECK_TEXT(err.message, "/no/model: No such file or directory");
    scarlet_train_options_free(opts);
    scarlet_dataset_free(d);
}

static void wrong_heads(void)
{
    scarlet_head *h = (scarlet_head *)1;
    float x[4] = {1, 2, 3, 4}, scores[2];
    REFUSED(scarlet_head_create(4, 2, NULL, NULL, &err), "out is NULL");
    REFUSED(scarlet_head_create(0, 2, NULL, &h, &err),
            "a head of 0 features and 2 classes is not possible");
    CHECK(!h);
    REFUSED(scarlet_head_create(4, 1, NULL, &h, &err),
            "a head of 4 features and 1 classes is not possible");
    fine(scarlet_head_create(4, 2, NULL, &h, &err));
    REFUSED(scarlet_head_add(NULL, x, 4, 0, &err), "head is NULL");
    REFUSED(scarlet_head_add(h, NULL, 4, 0, &err), "features is NULL");
    REFUSED(scarlet_head_add(h, x, 3, 0, &err), "a vector of 3 features, not 4");
    REFUSED(scarlet_head_add(h, x, 4, 2, &err), "label 2: there are 2 classes");
    x[2] = INFINITY;
    REFUSED(scarlet_head_add(h, x, 4, 0, &err), "feature 2 is not finite");
    REFUSED(scarlet_head_fit(h, NULL, &err), "no vectors to fit a head to");
    REFUSED(scarlet_head_fit(NULL, NULL, &err), "head is NULL");
    REFUSED(scarlet_head_write(h, "x", "y", NULL, &err), "the head is not fitted yet");
    REFUSED(scarlet_head_write(NULL, "x", "y", NULL, &err), "head is NULL");
    REFUSED(scarlet_head_write(h, NULL, "y", NULL, &err), "base is NULL");
    x[2] = 3e38f;
    fine(scarlet_head_add(h, x, 4, 0, &err));
    x[2] = -3e38f;
    fine(scarlet_head_add(h, x, 4, 1, &err)); /* numbers of any size */
    fine(scarlet_head_fit(h, NULL, &err));
    REFUSED(scarlet_head_scores(h, x, 4, scores, 3, &err), "scores for 3 classes, not 2");
    x[2] = 0;
    fine(scarlet_head_scores(h, x, 4, scores, 2, &err));
    CHECK(isfinite(scores[0]) && isfinite(scores[1]));
    scarlet_head_free(h);
    scarlet_head_free(NULL);
}

/* ---- allocations ---- */

static size_t calls, fail_at;

static bool gate(size_t size)
{
    (void)size;
    return ++calls != fail_at;
}

static bool out_of_memory(scarlet_status status)
{
    if (status == SCARLET_OK)
        return false;
    CHECK(status == SCARLET_ERROR_MEMORY && err.status == SCARLET_ERROR_MEMORY);
    if (status != SCARLET_ERROR_MEMORY)
        fprintf(stderr, "allocation %zu: %s\n", fail_at, err.message);
    return true;
}

/* False: an allocation failed, and that was reported. */
static bool train_once(const char *folder, const char *base)
{
    scarlet_trainer *t = NULL;
    scarlet_train_options *opts = small_options();
    scarlet_dataset *d = opts ? frames_dataset(SCARLET_PIXELS_RGBA) : NULL;
    bool ok = d;
    if (ok && base)
        ok = !out_of_memory(scarlet_train_options_set(opts, "initial-checkpoint", base, &err)) &&
             !out_of_memory(scarlet_train_options_set(opts, "freeze", "backbone", &err)) &&
             !out_of_memory(scarlet_train_options_set(opts, "input-size", "32", &err)) &&
             !out_of_memory(scarlet_train_options_set(opts, "resize", "32", &err));
    ok = ok && !out_of_memory(scarlet_trainer_create(d, opts, folder, &t, &err));
    CHECK(ok || !t);
    scarlet_image *sample[2];
    ok = ok && !out_of_memory(scarlet_trainer_samples(t, 2, sample, (int32_t[2]){0}, &err));
    for (int i = 0; ok && i < 2; i++)
        scarlet_image_free(sample[i]);
    ok = ok && !out_of_memory(scarlet_trainer_epoch(t, &err));
    scarlet_trainer_free(t);
    t = NULL;
    ok = ok && !out_of_memory(scarlet_trainer_resume(d, opts, folder, &t, &err));
    scarlet_trainer_free(t);
    scarlet_dataset_free(d);
    scarlet_train_options_free(opts);
    return ok;
}

static void clear(const char *folder)
{
    static const char *const files[] = {"last.ckpt", "best.safetensors", "results.csv"};
    char path[128];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
}

static void allocations(const char *base)
{
    char folder[] = "/tmp/scarlet-nas-XXXXXX";
    CHECK(mkdtemp(folder) != NULL);
    scarlet__alloc_gate = gate;
    bool done = false;
    for (fail_at = 1; !done && fail_at < 100000; fail_at++) {
        calls = 0;
        released = 0;
        done = train_once(folder, base);
        clear(folder);
    }
    scarlet__alloc_gate = NULL;
    CHECK(done && fail_at > 100);
    CHECK(rmdir(folder) == 0); /* no temporary file is left */
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    draw_frames();
    pictures();
    training();
    formats();
    heads(argv[1]);
    wrong_datasets();
    wrong_options();
    wrong_trainers();
    wrong_heads();
    allocations(NULL);
    allocations(argv[1]);
    return test_result();
}
