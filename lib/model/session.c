#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SCARLET_EXPERIMENTAL
#include "scarlet/scarlet.h"

#include "common/cpu.h"
#include "common/error.h"
#include "common/finite.h"
#include "common/host.h"
#include "common/memory.h"
#include "engine/buffers.h"
#include "image/preprocess.h"
#include "model/model.h"
#include "options/options.h"

struct scarlet_session {
    scarlet_model *model;
    atomic_flag busy; /* a call is running */
    int side;
    size_t batch_max;
    bool nhwc, features;
    unsigned threads;
    void *executor;
    size_t executor_bytes;
    float *input; /* batch_max pictures */
    size_t input_bytes;
    float *scores; /* of one picture, for scarlet_classify; the probabilities follow */
    scarlet__preprocessor *preprocessor;

    scarlet_trace_fn trace;
    void *trace_user;
    float *trace_values; /* one layer's output, dense */
    size_t trace_bytes;
    int64_t trace_since; /* nanoseconds */
};

static size_t picture_length(const scarlet_session *s)
{
    return 3 * (size_t)s->side * (size_t)s->side;
}

static size_t output_length(const scarlet_session *s)
{
    return (size_t)(s->features ? s->model->network.space.tail : s->model->network.classes);
}

/* ---- creation ---- */

static scarlet_status make(scarlet_session *s, const scarlet_options *opts, scarlet_error *err)
{
    int64_t side = scarlet__model_side(s->model);
    scarlet__option_set(opts, SCARLET_OPT_INPUT_SIZE, &side);
    s->side = (int)side;
    s->batch_max = (size_t)scarlet__option(opts, SCARLET_OPT_BATCH_MAX);
    s->nhwc = scarlet__option(opts, SCARLET_OPT_LAYOUT) == SCARLET_LAYOUT_NHWC;
    s->features = scarlet__option(opts, SCARLET_OPT_OUTPUT) == SCARLET_OUTPUT_FEATURES;
    s->threads = (unsigned)scarlet__option(opts, SCARLET_OPT_THREADS);
    if (s->threads == 0)
        s->threads = scarlet__cpu_count();
    /* side and batch_max are bounded by the option table: this cannot wrap in 64 bits. */
    s->input_bytes = s->batch_max * picture_length(s) * sizeof *s->input;
    const size_t taken = s->input_bytes + 2 * output_length(s) * sizeof *s->scores;
    const int64_t most = scarlet__option(opts, SCARLET_OPT_MAX_MEMORY);
    const size_t limit = (uint64_t)most < SIZE_MAX ? (size_t)most : SIZE_MAX;
    scarlet_status status = scarlet__session_fits(taken, limit, err);
    if (status != SCARLET_OK)
        return status;
    s->input = scarlet__pages_alloc(s->input_bytes);
    s->scores = scarlet__alloc(2 * output_length(s), sizeof *s->scores);
    if (!s->input || !s->scores)
        return scarlet__fail_memory(err);
    s->preprocessor = scarlet__preprocessor_create();
    if (!s->preprocessor)
        return scarlet__fail_memory(err);
    const scarlet__execution execution = {
        .network = &s->model->network,
        .kernels = s->model->kernels,
        .weights = s->model->weights,
        .side = s->side,
        .nhwc = s->nhwc,
        .features = s->features,
        .threads = s->threads,
        .taken = taken,
        .limit = limit,
    };
    return s->model->engine->create(&execution, &s->executor, &s->executor_bytes, err);
}

scarlet_status scarlet_session_create(scarlet_model *model, const scarlet_options *opts,
                                      scarlet_session **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!model)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "model is NULL");
    scarlet__host host = scarlet__host_enter(); /* threads inherit the state set here */
    scarlet_session *s = scarlet__calloc(1, sizeof *s);
    scarlet_status status = SCARLET_OK;
    if (s) {
        atomic_flag_clear(&s->busy);
        s->model = model;
        scarlet__model_retain(model);
        status = make(s, opts, err);
    } else {
        status = scarlet__fail_memory(err);
    }
    if (status == SCARLET_OK)
        *out = s;
    else
        scarlet_session_free(s);
    scarlet__host_leave(&host);
    return status;
}

void scarlet_session_free(scarlet_session *s)
{
    if (!s)
        return;
    scarlet__host host = scarlet__host_enter();
    if (s->executor)
        s->model->engine->free(s->executor);
    scarlet__preprocessor_free(s->preprocessor);
    scarlet__pages_free(s->input, s->input_bytes);
    scarlet__free(s->scores);
    scarlet__free(s->trace_values);
    scarlet_model_free(s->model);
    scarlet__free(s);
    scarlet__host_leave(&host);
}

int64_t scarlet_session_get(const scarlet_session *s, scarlet_info what)
{
    if (!s)
        return -1;
    switch (what) {
    case SCARLET_INFO_INPUT_SIZE:
        return s->side;
    case SCARLET_INFO_THREADS:
        return s->threads;
    case SCARLET_INFO_BATCH_MAX:
        return (int64_t)s->batch_max;
    case SCARLET_INFO_OUTPUT_LENGTH:
        return (int64_t)output_length(s);
    case SCARLET_INFO_BYTES:
        return (int64_t)(sizeof *s + s->executor_bytes + scarlet__pages_size(s->input_bytes) +
                         2 * output_length(s) * sizeof *s->scores + s->trace_bytes +
                         scarlet__preprocessor_bytes(s->preprocessor));
    case SCARLET_INFO_ISA:
    case SCARLET_INFO_PRECISION:
    case SCARLET_INFO_ENGINE:
    case SCARLET_INFO_CLASSES:
    case SCARLET_INFO_FEATURES:
        return scarlet_model_get(s->model, what);
    default:
        return -1;
    }
}

float *scarlet_session_input(scarlet_session *s, size_t *len)
{
    if (len)
        *len = s ? s->batch_max * picture_length(s) : 0;
    return s ? s->input : NULL;
}

/* ---- inference ---- */

static int64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void trace_layer(void *user, size_t picture, int layer, int side, int channels,
                        const float *values, size_t stride)
{
    scarlet_session *s = user;
    int64_t now = nanoseconds();
    const int64_t shape[3] = {side, side, channels};
    size_t pixels = (size_t)side * (size_t)side, dense = (size_t)channels;
    for (size_t p = 0; p < pixels; p++)
        memcpy(s->trace_values + p * dense, values + p * stride, dense * sizeof *values);
    s->trace(s->trace_user, picture, (size_t)layer, s->model->network.layer[layer].name, shape,
             s->trace_values, now - s->trace_since);
    s->trace_since = nanoseconds();
}

static scarlet_status run(scarlet_session *s, const float *input, size_t batch, float *out,
                          scarlet_error *err)
{
    const scarlet__tracer tracer = {trace_layer, s};
    s->trace_since = nanoseconds();
    return s->model->engine->run(s->executor, input, batch, out, s->trace ? &tracer : NULL, err);
}

/* A session serves one thread at a time: two at once are told so instead of wrong scores. Between
 * a true enter() and leave() nobody else is let in, not even a trace function. */
static bool enter(scarlet_session *s, scarlet_error *err)
{
    if (!atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire))
        return true;
    scarlet__describe(err, SCARLET_ERROR_ARGUMENT,
                      "session is in use by another call: make one session for each thread");
    return false;
}

static void leave(scarlet_session *s)
{
    atomic_flag_clear_explicit(&s->busy, memory_order_release);
}

static scarlet_status check_length(const char *name, size_t found, size_t batch, size_t each,
                                   scarlet_error *err)
{
    if (found == batch * each)
        return SCARLET_OK;
    return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is %zu, expected %zu x %zu = %zu", name,
                         found, batch, each, batch * each);
}

scarlet_status scarlet_infer(scarlet_session *s, const float *input, size_t input_len, size_t batch,
                             float *scores, size_t scores_len, scarlet_error *err)
{
    if (!s || !input || !scores)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !s       ? "session"
                             : !input ? "input"
                                      : "scores");
    if (batch < 1 || batch > s->batch_max)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "batch %zu is not between 1 and the session's batch_max %zu", batch,
                             s->batch_max);
    scarlet_status status = check_length("input_len", input_len, batch, picture_length(s), err);
    if (status == SCARLET_OK)
        status = check_length("scores_len", scores_len, batch, output_length(s), err);
    if (status != SCARLET_OK)
        return status;
    if (!enter(s, err))
        return SCARLET_ERROR_ARGUMENT;
    size_t bad = scarlet__first_not_finite(input, input_len);
    if (bad < input_len) {
        status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                               "input: value %zu of picture %zu is not finite",
                               bad % picture_length(s), bad / picture_length(s));
    } else {
        scarlet__host host = scarlet__host_enter();
        status = run(s, input, batch, scores, err);
        scarlet__host_leave(&host);
    }
    leave(s);
    return status;
}

/* Preprocesses a picture into the input buffer. Settings: explicit options, then the model file's
 * metadata, then ImageNet's. */
static scarlet_status take_picture(scarlet_session *s, const scarlet_image *image,
                                   const scarlet_options *opts, scarlet_error *err)
{
    const scarlet__metadata *m = &s->model->metadata;
    int64_t crop = s->side, resize = scarlet__metadata_resize(m, s->side);
    float mean[3], std[3];
    if (scarlet__option_set(opts, SCARLET_OPT_CROP, &crop) && crop != s->side)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "option crop: %lld is not the session's input size %d",
                             (long long)crop, s->side);
    if (!resize)
        resize = scarlet__default_resize((uint32_t)s->side);
    if (scarlet__option_set(opts, SCARLET_OPT_RESIZE, &resize) && resize < s->side)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "option resize: %lld is less than the input size %d",
                             (long long)resize, s->side);
    scarlet__metadata_normalization(m, mean, std);
    scarlet__option_normalization(opts, mean, std);
    return scarlet__preprocessor_run(s->preprocessor, image, (uint32_t)resize, (uint32_t)crop, mean,
                                     std, s->nhwc ? SCARLET_LAYOUT_NHWC : SCARLET_LAYOUT_NCHW,
                                     s->input, err);
}

scarlet_status scarlet_classify(scarlet_session *s, const scarlet_image *image,
                                const scarlet_options *opts, size_t k, scarlet_prediction *out,
                                size_t *n_out, scarlet_error *err)
{
    if (n_out)
        *n_out = 0;
    if (!s || !image || !out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !s       ? "session"
                             : !image ? "image"
                                      : "out");
    if (k < 1)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "k is 0");
    if (s->features)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "the session's output is features: make one with output=scores");
    if (!enter(s, err))
        return SCARLET_ERROR_ARGUMENT;
    size_t classes = output_length(s);
    float *probabilities = s->scores + classes;
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = take_picture(s, image, opts, err);
    if (status == SCARLET_OK)
        status = run(s, s->input, 1, s->scores, err);
    if (status == SCARLET_OK) {
        scarlet_softmax(s->scores, classes, probabilities);
        size_t n = scarlet_topk(probabilities, classes, k, out);
        if (n_out)
            *n_out = n;
    }
    scarlet__host_leave(&host);
    leave(s);
    return status;
}

/* ---- tracing ---- */

scarlet_status scarlet_session_set_trace(scarlet_session *s, scarlet_trace_fn fn, void *user,
                                         scarlet_error *err)
{
    if (!s)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "session is NULL");
    if (fn && !s->trace_values) {
        size_t largest = 0;
        int side = s->side;
        for (int i = 0; i < s->model->network.count; i++) {
            const scarlet__layer *l = &s->model->network.layer[i];
            side = scarlet__layer_side(l, side);
            size_t values = (size_t)side * (size_t)side * (size_t)l->out;
            largest = values > largest ? values : largest;
        }
        s->trace_values = scarlet__alloc(largest, sizeof *s->trace_values);
        if (!s->trace_values)
            return scarlet__fail_memory(err);
        s->trace_bytes = largest * sizeof *s->trace_values;
    }
    s->trace = fn;
    s->trace_user = user;
    return SCARLET_OK;
}

int64_t scarlet_session_layer_macs(const scarlet_session *s, size_t layer)
{
    if (!s || layer >= (size_t)s->model->network.count)
        return -1;
    const scarlet__network *network = &s->model->network;
    return scarlet__layer_macs(&network->layer[layer],
                               scarlet__network_side(network, s->side, layer));
}

int64_t scarlet_session_peak(const scarlet_session *s)
{
    if (!s)
        return -1;
    const scarlet__kernels *k = s->model->kernels;
    const scarlet__integer_kernels *integer =
        scarlet__integers(k, s->model->precision == SCARLET_PRECISION_INT8);
    const bool floats = s->model->precision == SCARLET_PRECISION_F32;
    const size_t steps = 1 << 14;
    const double each = (double)k->vector * (floats ? 1 : (double)integer->group);
    double best = 0;
    volatile float kept = 0;
    for (int64_t end = nanoseconds() + 20000000; nanoseconds() < end;) {
        int64_t begun = nanoseconds();
        kept = floats ? k->peak(steps) : integer->peak(steps);
        int64_t took = nanoseconds() - begun;
        double rate = (double)steps * SCARLET__PEAK_CHAINS * each / (double)(took + 1) * 1e9;
        best = rate > best ? rate : best;
    }
    (void)kept;
    return (int64_t)best;
}
