/*
 * What memory the library takes, measured at malloc and mmap (counting.c) and by the kernel.
 *
 *   memory [--classifications N] MODEL... PICTURE
 *
 * For each model: a load needs at its peak the packed weights, the largest tensor and 8 MB; models
 * and sessions report what they hold within 2 %; inference allocates nothing, nor does classifying
 * a picture of a size seen before. With the last model, resident memory does not grow over N
 * classifications.
 */
#include <time.h>

#include "scarlet/scarlet.h"

#include "counting.h"
#include "test.h"

enum { SLACK = 8 << 20, TOP = 5 };

static scarlet_image *picture;
static scarlet_error err;

static scarlet_options *options(const char *text)
{
    scarlet_options *opts = scarlet_options_create();
    CHECK(scarlet_options_parse(opts, text, &err) == SCARLET_OK);
    return opts;
}

/* Within 2 %, and a little for what the allocator adds to small blocks. */
static int near(size_t told, size_t truth)
{
    size_t difference = told > truth ? told - truth : truth - told;
    return difference <= truth / 50 + 1024;
}

/* VmRSS or VmHWM, bytes. */
static size_t resident(const char *name)
{
    char line[256];
    size_t kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, name, strlen(name)) == 0)
            kb = (size_t)atol(line + strlen(name));
    if (f)
        fclose(f);
    return kb * 1024;
}

/* From here on VmHWM starts again. */
static void reset_resident(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    CHECK(f && fputs("5", f) >= 0 && fclose(f) == 0);
}

static size_t largest_tensor(const scarlet_model *model)
{
    int64_t largest = 0;
    int64_t layers = scarlet_model_get(model, SCARLET_INFO_LAYERS);
    for (size_t i = 0; i < (size_t)layers; i++) {
        int64_t in = scarlet_model_layer_get(model, i, SCARLET_INFO_CHANNELS_IN);
        int64_t out = scarlet_model_layer_get(model, i, SCARLET_INFO_CHANNELS_OUT);
        int64_t expansion = scarlet_model_layer_get(model, i, SCARLET_INFO_EXPANSION);
        int64_t hidden = expansion ? in * expansion : in;
        int64_t larger = hidden * (in > out && expansion ? in : out);
        largest = larger > largest ? larger : largest;
    }
    return (size_t)largest * sizeof(float);
}

static scarlet_model *load(const char *path, const char *text)
{
    scarlet_options *opts = options(text);
    scarlet_model *model = NULL;
    if (!CHECK(scarlet_model_load(path, opts, &model, &err) == SCARLET_OK))
        fprintf(stderr, "%s\n", err.message);
    scarlet_options_free(opts);
    return model;
}

static void loading(const char *path, const char *text)
{
    scarlet_model_free(load(path, text)); /* what is done once is done */
    size_t before = counting().live, resident_before = resident("VmRSS:");
    counting_reset();
    reset_resident();
    scarlet_model *model = load(path, text);
    if (!model)
        return;
    size_t told = (size_t)scarlet_model_get(model, SCARLET_INFO_BYTES);
    size_t truth = counting().live - before, peak = counting().peak - before;
    size_t high = resident("VmHWM:");
    high -= high > resident_before ? resident_before : high;
    size_t allowed = told + largest_tensor(model) + SLACK;
    int ok = CHECK(near(told, truth)) & CHECK(peak <= allowed) & CHECK(high <= allowed);
    scarlet_model_free(model);
    ok &= CHECK(counting().live == before);
    printf("%s, %s: %zu bytes reported, %zu held; peak %zu, resident %zu, of %zu allowed%s\n", path,
           text, told, truth, peak, high, allowed, ok ? "" : ": failed");
}

static void sessions(const char *path, const char *text)
{
    scarlet_model *model = load(path, text);
    scarlet_options *opts = options(text);
    scarlet_session *s = NULL;
    scarlet_session_create(model, opts, &s, NULL); /* what is done once is done */
    scarlet_session_free(s);
    size_t before = counting().live;
    if (!CHECK(scarlet_session_create(model, opts, &s, &err) == SCARLET_OK)) {
        fprintf(stderr, "%s\n", err.message);
        return;
    }
    size_t told = (size_t)scarlet_session_get(s, SCARLET_INFO_BYTES);
    size_t truth = counting().live - before;
    int ok = CHECK(near(told, truth));

    size_t length, classes = (size_t)scarlet_model_get(model, SCARLET_INFO_CLASSES);
    float *input = scarlet_session_input(s, &length);
    float *scores = malloc(classes * sizeof *scores);
    size_t side = (size_t)scarlet_session_get(s, SCARLET_INFO_INPUT_SIZE);
    scarlet_prediction top[TOP];
    size_t calls = counting().calls;
    for (int i = 0; i < 3; i++)
        CHECK(scarlet_infer(s, input, 3 * side * side, 1, scores, classes, &err) == SCARLET_OK);
    size_t inferring = counting().calls - calls;
    CHECK(scarlet_classify(s, picture, NULL, TOP, top, NULL, &err) == SCARLET_OK);
    calls = counting().calls;
    CHECK(scarlet_classify(s, picture, NULL, TOP, top, NULL, &err) == SCARLET_OK);
    size_t classifying = counting().calls - calls;
    ok &= CHECK(inferring == 0) & CHECK(classifying == 0);
    free(scores);

    size_t told_then = (size_t)scarlet_session_get(s, SCARLET_INFO_BYTES);
    size_t truth_then = counting().live - before;
    ok &= CHECK(near(told_then, truth_then));
    printf(
        "%s, %s: session %zu bytes reported, %zu held; after a picture %zu, %zu; %zu and %zu "
        "allocations%s\n",
        path, text, told, truth, told_then, truth_then, inferring, classifying,
        ok ? "" : ": failed");
    scarlet_session_free(s);
    CHECK(counting().live == before);
    scarlet_options_free(opts);
    scarlet_model_free(model);
}

static void steady(const char *path, size_t classifications)
{
    scarlet_model *model = load(path, "");
    scarlet_options *opts = options("input_size=32");
    scarlet_session *s = NULL;
    CHECK(scarlet_session_create(model, opts, &s, &err) == SCARLET_OK);
    scarlet_prediction top[TOP], first[TOP];
    memset(first, 0, sizeof first);
    CHECK(scarlet_classify(s, picture, NULL, TOP, first, NULL, &err) == SCARLET_OK);
    size_t begin = 0, same = 0;
    clock_t begun = clock();
    for (size_t i = 0; i < classifications; i++) {
        if (i == classifications / 100)
            begin = resident("VmRSS:");
        scarlet_classify(s, picture, NULL, TOP, top, NULL, &err);
        same += memcmp(top, first, sizeof top) == 0;
    }
    size_t end = resident("VmRSS:");
    CHECK(same == classifications);
    CHECK(end <= begin);
    printf(
        "%s: %zu classifications at 32 pixels in %.1f s: RSS %zu KB after the first 1 %%, %zu "
        "KB at the end\n",
        path, classifications, (double)(clock() - begun) / CLOCKS_PER_SEC, begin / 1024,
        end / 1024);
    scarlet_session_free(s);
    scarlet_options_free(opts);
    scarlet_model_free(model);
}

int main(int argc, char **argv)
{
    static const char *const loads[] = {
        "engine=fused",
        "engine=fused,isa_max=portable",
        "precision=int8",
        "precision=int8,isa_max=avx2",
        "precision=int16",
#if XNNPACK
        "engine=xnnpack",
#endif
    };
    static const char *const ways[] = {
        "engine=fused",
        "engine=fused,threads=2",
        "engine=fused,batch_max=4,layout=nhwc",
        "engine=fused,input_size=64,threads=3",
        "precision=int8",
        "precision=int8,isa_max=avx2,threads=2",
        "precision=int16,batch_max=4,threads=3",
#if XNNPACK
        "engine=xnnpack",
        "engine=xnnpack,threads=2",
        "engine=xnnpack,input_size=64",
#endif
    };
    size_t classifications = 2000;
    int first = 1;
    if (argc > 3 && strcmp(argv[1], "--classifications") == 0) {
        classifications = (size_t)atol(argv[2]);
        first = 3;
    }
    if (argc - first < 2 ||
        scarlet_image_load(argv[argc - 1], NULL, &picture, &err) != SCARLET_OK) {
        fprintf(stderr, "models and a picture are needed: %s\n", err.message);
        return 2;
    }
    for (int i = first; i < argc - 1; i++) {
        for (size_t w = 0; w < sizeof loads / sizeof *loads; w++)
            loading(argv[i], loads[w]);
        for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
            sessions(argv[i], ways[w]);
    }
    steady(argv[argc - 2], classifications);
    scarlet_image_free(picture);
    return test_result();
}
