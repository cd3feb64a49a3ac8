/*
 * Runs a model on pictures in every way that must not change a bit, and writes the scores.
 *
 *   run MODEL SIDE COUNT INPUT OUTPUT [name=value,...]
 *
 * INPUT holds COUNT pictures of 3 x SIDE x SIDE floats (NCHW). Batches of 1, 3 and COUNT, 1 and 2
 * threads, two sessions at once, and NHWC input must all give the same bits; the exit code is 1 if
 * they do not. OUTPUT receives COUNT x classes scores, then COUNT x features. With "-" for both,
 * pictures are made up and nothing is written.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scarlet/scarlet.h"

static scarlet_error err;

static void must(scarlet_status status, const char *what)
{
    if (status != SCARLET_OK) {
        fprintf(stderr, "%s: %s\n", what, err.message);
        exit(3);
    }
}

static scarlet_session *session(scarlet_model *model, const char *fixed, int side, int count,
                                int threads)
{
    char text[96];
    scarlet_options *opts = scarlet_options_create();
    scarlet_session *s;
    snprintf(text, sizeof text, "input_size=%d,batch_max=%d,threads=%d", side, count, threads);
    must(scarlet_options_parse(opts, text, &err), text);
    must(scarlet_options_parse(opts, fixed, &err), fixed);
    must(scarlet_session_create(model, opts, &s, &err), "session");
    scarlet_options_free(opts);
    return s;
}

static void infer(scarlet_session *s, const float *input, size_t each, size_t count, size_t batch,
                  float *out, size_t length)
{
    for (size_t i = 0; i < count; i += batch) {
        size_t n = count - i < batch ? count - i : batch;
        must(scarlet_infer(s, input + i * each, n * each, n, out + i * length, n * length, &err),
             "infer");
    }
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    int side = atoi(argv[2]), count = atoi(argv[3]), different = 0;
    size_t n = (size_t)count, pixels = (size_t)side * (size_t)side, each = 3 * pixels;
    float *input = malloc(n * each * sizeof *input), *nhwc = malloc(n * each * sizeof *nhwc);
    bool files = strcmp(argv[4], "-") != 0;
    FILE *file = files ? fopen(argv[4], "rb") : NULL;
    if (files && (!file || fread(input, sizeof *input, n * each, file) != n * each))
        return 2;
    if (file)
        fclose(file);
    for (size_t i = 0; !files && i < n * each; i++)
        input[i] = (float)(i * 7919 % 1009) / 504.5f - 1;
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < pixels; p++)
            for (size_t c = 0; c < 3; c++)
                nhwc[i * each + p * 3 + c] = input[i * each + c * pixels + p];

    scarlet_options *opts = scarlet_options_create();
    if (argc > 6)
        must(scarlet_options_parse(opts, argv[6], &err), argv[6]);
    scarlet_model *model;
    must(scarlet_model_load(argv[1], opts, &model, &err), "load");
    scarlet_options_free(opts);

    size_t classes = (size_t)scarlet_model_get(model, SCARLET_INFO_CLASSES);
    size_t features = (size_t)scarlet_model_get(model, SCARLET_INFO_FEATURES);
    float *scores = malloc(n * classes * sizeof *scores),
          *other = malloc(n * classes * sizeof *other);
    float *vector = malloc(n * features * sizeof *vector);
    scarlet_session *one = session(model, "", side, count, 1);
    scarlet_session *two = session(model, "", side, count, 2);
    scarlet_session *swapped = session(model, "layout=nhwc", side, count, 2);
    scarlet_session *pooled = session(model, "output=features", side, count, 2);
    scarlet_model_free(model); /* sessions keep what they need */

    infer(one, input, each, n, 1, scores, classes);
    const struct {
        scarlet_session *session;
        const float *input;
        size_t batch;
        const char *name;
    } way[] = {
        {one, input, 3, "1 thread, batch 3"},
        {one, input, n, "1 thread, whole batch"},
        {two, input, 1, "2 threads, batch 1"},
        {two, input, 3, "2 threads, batch 3"},
        {two, input, n, "2 threads, whole batch"},
        {swapped, nhwc, n, "NHWC"},
        {one, input, 1, "once more"},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        memset(other, 0xFF, n * classes * sizeof *other);
        infer(way[i].session, way[i].input, each, n, way[i].batch, other, classes);
        if (memcmp(scores, other, n * classes * sizeof *other) != 0) {
            fprintf(stderr, "%s: other bits than one by one with 1 thread\n", way[i].name);
            different = 1;
        }
    }
    infer(pooled, input, each, n, 3, vector, features);

    file = files ? fopen(argv[5], "wb") : NULL;
    if (files &&
        (!file || fwrite(scores, sizeof *scores, n * classes, file) != n * classes ||
         fwrite(vector, sizeof *vector, n * features, file) != n * features || fclose(file) != 0))
        return 2;
    scarlet_session_free(one);
    scarlet_session_free(two);
    scarlet_session_free(swapped);
    scarlet_session_free(pooled);
    free(input);
    free(nhwc);
    free(scores);
    free(other);
    free(vector);
    return different;
}
