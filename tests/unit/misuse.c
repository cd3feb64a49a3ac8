/* Every function called wrongly: NULLs, lengths, bounds, values that are not finite. */
#include <math.h>
#include <stdint.h>

#define SCARLET_EXPERIMENTAL
#include "scarlet/scarlet.h"
#include "test.h"

static scarlet_error err;

/* Expects ARGUMENT with exactly this text, and that *out was set to NULL. */
#define REFUSED(call, text)                                                                        \
    do {                                                                                           \
        memset(&err, 0xAA, sizeof err);                                                            \
        CHECK((call) == SCARLET_ERROR_ARGUMENT);                                                   \
        CHECK(err.status == SCARLET_ERROR_ARGUMENT && err.detail == 0);                            \
        CHECK_TEXT(err.message, text);                                                             \
    } while (0)

static scarlet_model *model;

static scarlet_session *session(const char *text)
{
    scarlet_options *opts = scarlet_options_create();
    scarlet_session *s = NULL;
    CHECK(scarlet_options_parse(opts, text, &err) == SCARLET_OK);
    if (!CHECK(scarlet_session_create(model, opts, &s, &err) == SCARLET_OK))
        fprintf(stderr, "%s\n", err.message);
    scarlet_options_free(opts);
    return s;
}

static void models(void)
{
    scarlet_model *m = (scarlet_model *)1;
    REFUSED(scarlet_model_load(NULL, NULL, &m, &err), "path is NULL");
    CHECK(!m);
    REFUSED(scarlet_model_load("x", NULL, NULL, &err), "out is NULL");
    REFUSED(scarlet_model_load_memory(NULL, 3, NULL, &m, &err), "data is NULL");
    REFUSED(scarlet_model_load_memory("abc", 3, NULL, NULL, &err), "out is NULL");
    CHECK(scarlet_model_load(NULL, NULL, &m, NULL) == SCARLET_ERROR_ARGUMENT);
    CHECK(scarlet_model_load("/no/such/file", NULL, &m, &err) == SCARLET_ERROR_IO);
    CHECK_TEXT(err.message, "/no/such/file: No such file or directory");
    CHECK(err.detail == 2 && !m);
    CHECK(scarlet_model_load("/", NULL, &m, &err) == SCARLET_ERROR_IO);
    CHECK_TEXT(err.message, "/: a directory, not a regular file");
    CHECK(scarlet_model_load("/dev/zero", NULL, &m, &err) == SCARLET_ERROR_IO);
    CHECK_TEXT(err.message, "/dev/zero: a pipe or device, not a regular file");
    CHECK(scarlet_model_load_memory("", 0, NULL, &m, &err) == SCARLET_ERROR_FORMAT);

    CHECK(!scarlet_model_name(NULL) && !scarlet_model_genotype(NULL));
    CHECK(scarlet_model_get(NULL, SCARLET_INFO_CLASSES) == -1);
    CHECK(scarlet_model_get(model, (scarlet_info)999) == -1);
    CHECK(scarlet_model_get(model, SCARLET_INFO_THREADS) == -1);
    CHECK(scarlet_model_get(model, SCARLET_INFO_CLASSES) == 5);
    CHECK(scarlet_model_get(model, SCARLET_INFO_INPUT_SIZE) == 32);
    CHECK(scarlet_model_get(model, SCARLET_INFO_LAYERS) == 8);
    CHECK_TEXT(scarlet_model_genotype(model), "e3k3,e6k5se,id,e3k7se");
    CHECK_TEXT(scarlet_model_name(model), "custom");
    CHECK(scarlet_model_layer_get(model, 8, SCARLET_INFO_KIND) == -1);
    CHECK(scarlet_model_layer_get(NULL, 0, SCARLET_INFO_KIND) == -1);
    CHECK(scarlet_model_layer_get(model, 4, SCARLET_INFO_KIND) == SCARLET_LAYER_IDENTITY);
    CHECK(scarlet_model_layer_get(model, 4, SCARLET_INFO_PARAMETERS) == 0);
    CHECK(scarlet_model_layer_get(model, 3, SCARLET_INFO_SE) == 18);
    CHECK_TEXT(scarlet_model_layer_name(model, 7), "classifier");
    CHECK(!scarlet_model_layer_name(model, 8) && !scarlet_model_layer_name(NULL, 0));
    CHECK(!scarlet_model_label(model, 0) && !scarlet_model_label(NULL, 0));
    CHECK(!scarlet_model_metadata(model, "nothing") && !scarlet_model_metadata(NULL, "x"));
    CHECK(!scarlet_model_metadata(model, NULL));
    CHECK_TEXT(scarlet_model_metadata(model, "scarlet.input_size"), "32");
    CHECK_TEXT(scarlet_model_metadata_key(model, 0), "scarlet.space");
    CHECK(!scarlet_model_metadata_key(model, 2) && !scarlet_model_metadata_key(NULL, 0));
    CHECK(!scarlet_model_weights_key(model) && !scarlet_model_weights_key(NULL));
    scarlet_options *opts = (scarlet_options *)1;
    REFUSED(scarlet_model_options(NULL, &opts, &err), "model is NULL");
    CHECK(!opts);
    REFUSED(scarlet_model_options(model, NULL, &err), "out is NULL");
    REFUSED(scarlet_convert(NULL, "x", NULL, NULL, &err), "source is NULL");
    REFUSED(scarlet_convert("x", NULL, NULL, NULL, &err), "target is NULL");
    scarlet_model_free(NULL);
}

static void sessions(void)
{
    scarlet_session *s = (scarlet_session *)1;
    REFUSED(scarlet_session_create(NULL, NULL, &s, &err), "model is NULL");
    CHECK(!s);
    REFUSED(scarlet_session_create(model, NULL, NULL, &err), "out is NULL");
    CHECK(scarlet_session_get(NULL, SCARLET_INFO_THREADS) == -1);
    size_t len = 7;
    CHECK(!scarlet_session_input(NULL, &len) && len == 0);
    scarlet_session_free(NULL);
}

static void inference(void)
{
    enum { EACH = 3 * 32 * 32 };
    static float in[2 * EACH], scores[10];
    scarlet_session *s = session("batch_max=2");
    size_t len;
    CHECK(scarlet_session_input(s, &len) && len == 2 * EACH);
    CHECK(scarlet_session_get(s, SCARLET_INFO_OUTPUT_LENGTH) == 5);
    CHECK(scarlet_session_get(s, SCARLET_INFO_BATCH_MAX) == 2);
    CHECK(scarlet_session_get(s, SCARLET_INFO_THREADS) == 1);
    CHECK(scarlet_session_get(s, SCARLET_INFO_KIND) == -1);
    CHECK(scarlet_session_get(s, SCARLET_INFO_BYTES) > 2 * EACH * 4);
    REFUSED(scarlet_infer(NULL, in, EACH, 1, scores, 5, &err), "session is NULL");
    REFUSED(scarlet_infer(s, NULL, EACH, 1, scores, 5, &err), "input is NULL");
    REFUSED(scarlet_infer(s, in, EACH, 1, NULL, 5, &err), "scores is NULL");
    REFUSED(scarlet_infer(s, in, EACH, 0, scores, 5, &err),
            "batch 0 is not between 1 and the session's batch_max 2");
    REFUSED(scarlet_infer(s, in, EACH, 3, scores, 5, &err),
            "batch 3 is not between 1 and the session's batch_max 2");
    REFUSED(scarlet_infer(s, in, EACH - 1, 1, scores, 5, &err),
            "input_len is 3071, expected 1 x 3072 = 3072");
    REFUSED(scarlet_infer(s, in, 2 * EACH, 2, scores, 5, &err),
            "scores_len is 5, expected 2 x 5 = 10");
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        in[EACH + 100 + i] = bad[i];
        char text[80];
        snprintf(text, sizeof text, "input: value %zu of picture 1 is not finite", 100 + i);
        REFUSED(scarlet_infer(s, in, 2 * EACH, 2, scores, 10, &err), text);
        in[EACH + 100 + i] = 0;
    }
    CHECK(scarlet_infer(s, in, 2 * EACH, 2, scores, 10, NULL) == SCARLET_OK);
    CHECK(memcmp(scores, scores + 5, 5 * sizeof *scores) == 0 && isfinite(scores[0]));
    REFUSED(scarlet_session_set_trace(NULL, NULL, NULL, &err), "session is NULL");

    scarlet_image *image;
    static const unsigned char pixels[64 * 40 * 3];
    scarlet_prediction top[9];
    size_t n = 77;
    CHECK(scarlet_image_wrap(pixels, 64, 40, 64 * 3, SCARLET_PIXELS_RGB, NULL, NULL, &image,
                             &err) == SCARLET_OK);
    REFUSED(scarlet_classify(NULL, image, NULL, 1, top, &n, &err), "session is NULL");
    CHECK(n == 0);
    REFUSED(scarlet_classify(s, NULL, NULL, 1, top, NULL, &err), "image is NULL");
    REFUSED(scarlet_classify(s, image, NULL, 1, NULL, &n, &err), "out is NULL");
    REFUSED(scarlet_classify(s, image, NULL, 0, top, &n, &err), "k is 0");
    scarlet_options *opts = scarlet_options_create();
    CHECK(scarlet_options_parse(opts, "crop=64", NULL) == SCARLET_OK);
    REFUSED(scarlet_classify(s, image, opts, 1, top, &n, &err),
            "option crop: 64 is not the session's input size 32");
    CHECK(scarlet_options_parse(opts, "crop=32,resize=31", NULL) == SCARLET_OK);
    REFUSED(scarlet_classify(s, image, opts, 1, top, &n, &err),
            "option resize: 31 is less than the input size 32");
    CHECK(scarlet_classify(s, image, NULL, 9, top, &n, &err) == SCARLET_OK && n == 5);
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += top[i].score;
        CHECK(i == 0 || top[i].score <= top[i - 1].score);
    }
    CHECK(fabsf(sum - 1) < 1e-5f);
    scarlet_session *features = session("output=features");
    CHECK(scarlet_session_get(features, SCARLET_INFO_OUTPUT_LENGTH) == 48);
    REFUSED(scarlet_classify(features, image, NULL, 1, top, &n, &err),
            "the session's output is features: make one with output=scores");
    scarlet_session_free(features);
    scarlet_options_free(opts);
    scarlet_image_free(image);
    scarlet_session_free(s);
}

static scarlet_status load(const char *path, const char *text, scarlet_model **out)
{
    scarlet_options *opts = scarlet_options_create();
    CHECK(scarlet_options_parse(opts, text, &err) == SCARLET_OK);
    scarlet_status status = scarlet_model_load(path, opts, out, &err);
    scarlet_options_free(opts);
    return status;
}

static void precisions(const char *path)
{
    static const char *const names[] = {"f32", "int16", "int8"};
    scarlet_model *m, *whole;
    CHECK(load(path, "isa_max=portable,engine=fused", &whole) == SCARLET_OK);
    for (int p = 1; p < 3; p++) {
        char text[80], message[200];
        snprintf(text, sizeof text, "engine=xnnpack,precision=%s", names[p]);
        snprintf(message, sizeof message,
                 "option precision: engine xnnpack computes in f32 only, not in %s; "
                 "use engine=fused or auto",
                 names[p]);
        REFUSED(load(path, text, &m), message);
        CHECK(!m);
        snprintf(text, sizeof text, "isa_max=portable,precision=%s", names[p]);
        CHECK(load(path, text, &m) == SCARLET_OK);
        CHECK(scarlet_model_get(m, SCARLET_INFO_PRECISION) == p);
        CHECK(scarlet_model_get(m, SCARLET_INFO_ENGINE) == SCARLET_ENGINE_FUSED);
        CHECK(scarlet_model_get(m, SCARLET_INFO_BYTES) <
              scarlet_model_get(whole, SCARLET_INFO_BYTES));
        CHECK(scarlet_model_layer_get(m, 0, SCARLET_INFO_PRECISION) == SCARLET_PRECISION_F32);
        CHECK(scarlet_model_layer_get(m, 1, SCARLET_INFO_PRECISION) == SCARLET_PRECISION_F32);
        for (size_t i = 2; i < 8; i++) /* the last block is in int16 in any case */
            CHECK(scarlet_model_layer_get(m, i, SCARLET_INFO_PRECISION) ==
                  (i == 5 ? SCARLET_PRECISION_INT16 : p));
        scarlet_model_free(m);
    }
    scarlet_model_free(whole);
}

/* A long path loses its middle, not the reason. */
static void long_paths(void)
{
    char path[1000];
    scarlet_image *image;
    for (size_t i = 0; i + 1 < sizeof path; i += 2)
        memcpy(path + i, "\xC3\xA9", 2);
    memcpy(path, "begin-", 6);
    strcpy(path + sizeof path - 12, "/e/end.png");
    CHECK(scarlet_image_load(path, NULL, &image, &err) == SCARLET_ERROR_IO);
    CHECK(strncmp(err.message, "begin-", 6) == 0 && strstr(err.message, "\xA9...\xC3"));
    CHECK(strstr(err.message, "/e/end.png: ") && strlen(err.message) < sizeof err.message);
    CHECK(!strchr(err.message, '?'));
}

static void texts(void)
{
    CHECK_TEXT(scarlet_version_string(), "0.1.0");
    CHECK(scarlet_version() == SCARLET_VERSION);
    CHECK(strstr(scarlet_build_info(), "libscarlet 0.1.0") == scarlet_build_info());
    CHECK(scarlet_cpu_count() >= 1);
    CHECK_TEXT(scarlet_status_string(SCARLET_OK), "ok");
    CHECK_TEXT(scarlet_status_string(SCARLET_ERROR_MODEL), "model");
    CHECK_TEXT(scarlet_status_string((scarlet_status)-99), "unknown");
}

int main(int argc, char **argv)
{
    if (argc != 2 || scarlet_model_load(argv[1], NULL, &model, &err) != SCARLET_OK)
        return 2;
    models();
    sessions();
    inference();
    precisions(argv[1]);
    texts();
    long_paths();
    scarlet_model_free(model);
    return test_result();
}
