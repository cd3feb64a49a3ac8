/*
 * Threads, fork and signals.
 *
 *   threads MODEL PICTURE [name=value,...]
 *
 * 8 threads load, classify and free the same model and models of their own; one model serves 64
 * sessions; a child forked after the load classifies; signals are left as they were. Results are
 * compared bit by bit. Floating-point modes, errno and locale: host.c.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scarlet/scarlet.h"
#include "test.h"

enum { THREADS = 8, SESSIONS = 64, REPEATS = 3, TOP = 5 };

static const char *model_path, *picture_path, *fixed = "";
static scarlet_prediction expected[TOP];
static size_t expected_count;

/* One whole use; whether it gave the expected bits. */
static int classify(scarlet_session *session)
{
    scarlet_image *image;
    scarlet_prediction top[TOP];
    size_t n = 0;
    if (scarlet_image_load(picture_path, NULL, &image, NULL) != SCARLET_OK)
        return 0;
    scarlet_status status = scarlet_classify(session, image, NULL, TOP, top, &n, NULL);
    scarlet_image_free(image);
    return status == SCARLET_OK && n == expected_count &&
           memcmp(top, expected, n * sizeof *top) == 0;
}

static scarlet_model *load(scarlet_error *err)
{
    scarlet_model *model = NULL;
    scarlet_options *opts = scarlet_options_create();
    if (scarlet_options_parse(opts, fixed, err) == SCARLET_OK)
        scarlet_model_load(model_path, opts, &model, err);
    scarlet_options_free(opts);
    return model;
}

static scarlet_session *session(scarlet_model *model, int threads)
{
    scarlet_session *s = NULL;
    scarlet_options *opts = scarlet_options_create();
    scarlet_options_set(opts, SCARLET_OPT_THREADS, threads, NULL);
    scarlet_session_create(model, opts, &s, NULL);
    scarlet_options_free(opts);
    return s;
}

typedef struct {
    scarlet_model *shared;
    int number, good;
} work;

static void *worker(void *arg)
{
    work *w = arg;
    w->good = 1;
    for (int i = 0; i < REPEATS; i++) {
        scarlet_model *own = load(NULL);
        scarlet_session *a = session(w->shared, 1), *b = session(own, 1 + w->number % 2);
        scarlet_model_free(own);
        w->good &= a && b && classify(a) && classify(b);
        scarlet_session_free(a);
        scarlet_session_free(b);
    }
    return NULL;
}

static void many_threads(scarlet_model *model)
{
    pthread_t thread[THREADS];
    work w[THREADS];
    for (int i = 0; i < THREADS; i++) {
        w[i] = (work){model, i, 0};
        if (!CHECK(pthread_create(&thread[i], NULL, worker, &w[i]) == 0))
            return;
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        CHECK(w[i].good);
    }
}

static void many_sessions(scarlet_model *model)
{
    scarlet_session *s[SESSIONS];
    for (int i = 0; i < SESSIONS; i++)
        s[i] = session(model, 1);
    for (int i = 0; i < SESSIONS; i++)
        CHECK(s[i] && classify(s[i]));
    for (int i = 0; i < SESSIONS; i++)
        scarlet_session_free(s[i]);
}

static void fork_after_load(scarlet_model *model, scarlet_session *existing)
{
    pid_t child = fork();
    if (child == 0) {
        scarlet_session *own = session(model, 2);
        _exit(classify(existing) && own && classify(own) ? 0 : 1);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void signals(scarlet_model *model)
{
    struct sigaction before[32], after[32];
    sigset_t mask_before, mask_after;
    sigprocmask(SIG_SETMASK, NULL, &mask_before);
    for (int i = 1; i < 32; i++)
        sigaction(i, NULL, &before[i]);
    scarlet_session *s = session(model, 2);
    CHECK(s && classify(s));
    for (int i = 1; i < 32; i++) {
        sigaction(i, NULL, &after[i]);
        CHECK(before[i].sa_handler == after[i].sa_handler);
    }
    sigprocmask(SIG_SETMASK, NULL, &mask_after);
    for (int i = 1; i < 32; i++)
        CHECK(sigismember(&mask_before, i) == sigismember(&mask_after, i));
    scarlet_session_free(s);
}

int main(int argc, char **argv)
{
    scarlet_error err = {0};
    scarlet_image *image;
    if (argc < 3)
        return 2;
    model_path = argv[1];
    picture_path = argv[2];
    if (argc > 3)
        fixed = argv[3];
    scarlet_model *model = load(&err);
    if (!model || scarlet_image_load(picture_path, NULL, &image, &err) != SCARLET_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    scarlet_session *s = session(model, 1);
    CHECK(s && scarlet_classify(s, image, NULL, TOP, expected, &expected_count, &err) == 0);
    scarlet_image_free(image);
    fork_after_load(model, s);
    many_threads(model);
    many_sessions(model);
    signals(model);
    scarlet_session_free(s);
    scarlet_model_free(model);
    return test_result();
}
