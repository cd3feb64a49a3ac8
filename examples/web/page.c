/* What the page calls: one model, one session, the answer in one array. */
#include <emscripten.h>
#include <stdio.h>

#include "scarlet/scarlet.h"

enum { MOST = 5 };

static scarlet_model *model;
static scarlet_session *session;
static scarlet_prediction best[MOST];
static scarlet_error err;

/* Takes the bytes of a checkpoint; an error leaves the model before in place. Returns, as all
 * functions here do, 0 or an error that page_error() describes. */
EMSCRIPTEN_KEEPALIVE int page_load(const void *bytes, size_t size)
{
    scarlet_model *new_model = NULL;
    scarlet_session *new_session = NULL;
    scarlet_options *options = scarlet_options_create();
    scarlet_status status = options ? SCARLET_OK : SCARLET_ERROR_MEMORY;
    if (status == SCARLET_OK)
        status = scarlet_options_set(options, SCARLET_OPT_ENGINE, SCARLET_ENGINE_FUSED, &err);
    if (status == SCARLET_OK)
        status = scarlet_model_load_memory(bytes, size, options, &new_model, &err);
    if (status == SCARLET_OK)
        status = scarlet_session_create(new_model, NULL, &new_session, &err);
    scarlet_options_free(options);
    if (status != SCARLET_OK) {
        scarlet_model_free(new_model);
        return status;
    }
    scarlet_session_free(session);
    scarlet_model_free(model);
    session = new_session;
    model = new_model;
    return SCARLET_OK;
}

/* Classifies width x height pixels of 4 bytes; returns the number of predictions, or -1. */
EMSCRIPTEN_KEEPALIVE int page_classify(const void *rgba, uint32_t width, uint32_t height)
{
    scarlet_image *image;
    size_t n = 0;
    if (scarlet_image_wrap(rgba, width, height, (size_t)width * 4, SCARLET_PIXELS_RGBA, NULL, NULL,
                           &image, &err))
        return -1;
    scarlet_status status = scarlet_classify(session, image, NULL, MOST, best, &n, &err);
    scarlet_image_free(image);
    return status ? -1 : (int)n;
}

/* The name of a class, else its number. */
EMSCRIPTEN_KEEPALIVE const char *page_label(int i)
{
    static char number[24];
    const char *label = scarlet_model_label(model, best[i].class_id);
    snprintf(number, sizeof number, "class %d", (int)best[i].class_id);
    return label ? label : number;
}

EMSCRIPTEN_KEEPALIVE float page_score(int i)
{
    return best[i].score;
}

EMSCRIPTEN_KEEPALIVE const char *page_model(void)
{
    return scarlet_model_name(model);
}

EMSCRIPTEN_KEEPALIVE const char *page_error(void)
{
    return err.message;
}
