/*
 * Sessions that are refused: in use by another call, or larger than allowed.
 *
 *   test-session MODEL
 */
#include <pthread.h>
#include <stdatomic.h>

#define SCARLET_EXPERIMENTAL
#include "scarlet/scarlet.h"

#include "test.h"

enum { SIDE = 32, PIXELS = 3 * SIDE * SIDE, CLASSES = 5, CALLS = 3000 };

static const char *const USED =
    "session is in use by another call: make one session for each thread";

static scarlet_session *make(scarlet_model *model, const char *options, scarlet_error *err)
{
    scarlet_session *session = NULL;
    scarlet_options *opts = scarlet_options_create();
    CHECK(scarlet_options_parse(opts, options, NULL) == SCARLET_OK);
    scarlet_session_create(model, opts, &session, err);
    scarlet_options_free(opts);
    return session;
}

/* ---- one session, two calls ---- */

typedef struct {
    scarlet_session *session;
    const float *input;
    const float *expected;
    atomic_int right, refused;
} shared;

static scarlet_status infer(const shared *s, float *scores, scarlet_error *err)
{
    return scarlet_infer(s->session, s->input, PIXELS, 1, scores, CLASSES, err);
}

/* Each call is right or refused, never wrong. */
static void *hammer(void *user)
{
    shared *s = user;
    for (int i = 0; i < CALLS; i++) {
        float scores[CLASSES];
        scarlet_error err;
        if (infer(s, scores, &err) == SCARLET_OK) {
            CHECK(memcmp(scores, s->expected, sizeof scores) == 0);
            atomic_fetch_add(&s->right, 1);
        } else {
            CHECK(err.status == SCARLET_ERROR_ARGUMENT);
            CHECK_TEXT(err.message, USED);
            atomic_fetch_add(&s->refused, 1);
        }
    }
    return NULL;
}

/* On another thread while a call runs, and on the same one. */
static void *try(void *user)
{
    shared *s = user;
    float scores[CLASSES];
    scarlet_error err;
    CHECK(infer(s, scores, &err) == SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, USED);
    unsigned char pixels[3] = {0};
    scarlet_image *image;
    scarlet_prediction best;
    CHECK(scarlet_image_wrap(pixels, 1, 1, 3, SCARLET_PIXELS_RGB, NULL, NULL, &image, NULL) ==
          SCARLET_OK);
    CHECK(scarlet_classify(s->session, image, NULL, 1, &best, NULL, &err) ==
          SCARLET_ERROR_ARGUMENT);
    CHECK_TEXT(err.message, USED);
    scarlet_image_free(image);
    atomic_fetch_add(&s->refused, 1);
    return NULL;
}

static void traced(void *user, size_t picture, size_t layer, const char *name,
                   const int64_t shape[3], const float *values, int64_t nanos)
{
    pthread_t thread;
    (void)picture, (void)name, (void)shape, (void)values, (void)nanos;
    if (layer != 0)
        return;
    try(user);
    if (CHECK(pthread_create(&thread, NULL, try, user) == 0))
        pthread_join(thread, NULL);
}

static void two_calls(scarlet_model *model, const char *options)
{
    static float input[PIXELS];
    float expected[CLASSES], scores[CLASSES];
    shared s = {make(model, options, NULL), input, expected, 0, 0};
    for (size_t i = 0; i < PIXELS; i++)
        input[i] = (float)(i % 17) / 8 - 1;
    CHECK(infer(&s, expected, NULL) == SCARLET_OK);

    CHECK(scarlet_session_set_trace(s.session, traced, &s, NULL) == SCARLET_OK);
    CHECK(infer(&s, scores, NULL) == SCARLET_OK && s.refused == 2);
    CHECK(memcmp(scores, expected, sizeof scores) == 0);
    CHECK(scarlet_session_set_trace(s.session, NULL, NULL, NULL) == SCARLET_OK);

    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&thread[i], NULL, hammer, &s) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    CHECK(s.right + s.refused == 2 * CALLS + 2 && s.right > 0);
    /* A call that fails lets the next one in. */
    input[7] = 1.0f / 0.0f;
    CHECK(infer(&s, scores, NULL) == SCARLET_ERROR_ARGUMENT);
    input[7] = -0.125f;
    CHECK(infer(&s, scores, NULL) == SCARLET_OK);
    CHECK(memcmp(scores, expected, sizeof scores) == 0);
    scarlet_session_free(s.session);
}

/* ---- memory ---- */

static void limit(scarlet_model *model, const char *engine)
{
    char options[160], message[160];
    scarlet_error err;
    /* 64 pictures: 0.8 MB of input. */
    snprintf(options, sizeof options, "engine=%s,batch_max=64", engine);
    scarlet_session *session = make(model, options, NULL);
    if (!CHECK(session))
        return;
    long long bytes = scarlet_session_get(session, SCARLET_INFO_BYTES);
    scarlet_session_free(session);
    snprintf(options, sizeof options, "engine=%s,batch_max=64,max_memory=%lld", engine, bytes);
    session = make(model, options, &err);
    CHECK(session);
    scarlet_session_free(session);

    snprintf(options, sizeof options, "batch_max=64,max_memory=%d", 64 * PIXELS * 4 - 1);
    CHECK(!make(model, options, &err) && err.status == SCARLET_ERROR_LIMIT);
    snprintf(message, sizeof message,
             "a session would take at least %d bytes, more than the option max_memory, %d",
             64 * PIXELS * 4 + 2 * CLASSES * 4, 64 * PIXELS * 4 - 1);
    CHECK_TEXT(err.message, message);
    /* Enough for input and scores, not for what lies between them. */
    snprintf(options, sizeof options, "batch_max=64,max_memory=%d", 64 * PIXELS * 4 + 1000);
    CHECK(!make(model, options, &err) && err.status == SCARLET_ERROR_LIMIT);
    CHECK(strncmp(err.message, "a session would take at least ", 30) == 0);
    CHECK(atoll(err.message + 30) > 64 * PIXELS * 4 + 1000 && atoll(err.message + 30) <= bytes);
    /* Without the option: 1 GiB. 201 MB a picture. */
    CHECK(!make(model, "batch_max=6,input_size=4096", &err) && err.status == SCARLET_ERROR_LIMIT);
}

int main(int argc, char **argv)
{
    static const char *const ENGINES[] = {"fused", "xnnpack"};
    for (size_t i = 0; i < 1 + XNNPACK && argc == 2; i++) {
        char options[64];
        scarlet_model *model;
        scarlet_options *opts = scarlet_options_create();
        snprintf(options, sizeof options, "engine=%s", ENGINES[i]);
        CHECK(scarlet_options_parse(opts, options, NULL) == SCARLET_OK);
        CHECK(scarlet_model_load(argv[1], opts, &model, NULL) == SCARLET_OK);
        scarlet_options_free(opts);
        two_calls(model, "threads=1");
        two_calls(model, "threads=2");
        limit(model, ENGINES[i]);
        scarlet_model_free(model);
    }
    return test_result();
}
