/* libscarlet. worker_scarlet MODEL OPTIONS INPUT BATCH THREADS; OPTIONS as "engine=xnnpack,..." */
#include "worker.h"

#include <scarlet/scarlet.h>

static scarlet_session *session;
static scarlet_error err;

static void must(scarlet_status status)
{
    if (status != SCARLET_OK)
        worker_fail("libscarlet", err.message);
}

static void load(worker *w, char **argv)
{
    char text[64];
    scarlet_options *opts = scarlet_options_create();
    scarlet_model *model;
    snprintf(text, sizeof text, "batch_max=%d,threads=%s", w->batch, argv[5]);
    must(scarlet_options_parse(opts, text, &err));
    must(scarlet_options_parse(opts, argv[2], &err));
    must(scarlet_model_load(argv[1], opts, &model, &err));
    must(scarlet_session_create(model, opts, &session, &err));
    scarlet_model_free(model);
    scarlet_options_free(opts);
}

static void run(worker *w)
{
    size_t batch = (size_t)w->batch;
    must(
        scarlet_infer(session, w->input, batch * PICTURE, batch, w->scores, batch * CLASSES, &err));
}

int main(int argc, char **argv)
{
    if (argc != 6)
        worker_fail("usage", "worker_scarlet MODEL OPTIONS INPUT BATCH THREADS");
    worker w = {.version = scarlet_version_string(), .load = load, .run = run};
    return worker_serve(&w, argc, argv);
}
