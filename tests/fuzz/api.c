/*
 * The whole API: an input is a program of calls, legal and illegal, on a few objects of each kind.
 * Nothing is done that scarlet.h forbids, such as using what was freed. Sizes that are legal but
 * would only take memory (batches, sides, threads) are kept small.
 */
#include <math.h>
#include <string.h>

#include "api.h"
#include "common/utf8.h"

enum { CALLS_MAX = 48 };

/* ---- the input ---- */

static const uint8_t *at, *end;

unsigned byte(void)
{
    return at < end ? *at++ : 0;
}

unsigned below(unsigned limit)
{
    return byte() % limit;
}

bool seldom(unsigned limit)
{
    return below(limit) == limit - 1;
}

int64_t any_integer(void)
{
    static const int64_t edges[] = {-1, 0, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN};
    unsigned kind = byte();
    if (kind < sizeof edges / sizeof *edges)
        return edges[kind];
    return kind % 2 ? (int64_t)byte() : (int64_t)byte() << 8 | byte();
}

const uint8_t *bytes(size_t most, size_t *size)
{
    *size = (size_t)byte() << 8;
    *size |= byte();
    *size = *size < most ? *size : most;
    if (*size > (size_t)(end - at))
        *size = (size_t)(end - at);
    const uint8_t *from = at;
    at += *size;
    return from;
}

float number(void)
{
    static const float edges[] = {0, -0.0f, 1, -1, 1e-38f, 1e38f, -3e38f, NAN, INFINITY, -INFINITY};
    unsigned kind = byte();
    return kind < sizeof edges / sizeof *edges ? edges[kind] : ((float)kind - 128) / 32;
}

/* ---- what every call keeps to ---- */

scarlet_error err;

scarlet_error *fresh(void)
{
    memset(&err, 0x5A, sizeof err);
    return &err;
}

scarlet_status done(scarlet_status status)
{
    scarlet_error untouched;
    memset(&untouched, 0x5A, sizeof untouched);
    MUST(status <= 0 && status >= SCARLET_ERROR_LIMIT - 1 && status != SCARLET_ERROR_INTERNAL);
    if (status == SCARLET_OK) {
        MUST(memcmp(&err, &untouched, sizeof err) == 0);
        return status;
    }
    size_t length = strnlen(err.message, sizeof err.message);
    MUST(err.status == status && length > 0 && length < sizeof err.message);
    MUST(scarlet__utf8_check(err.message, length) == length && !strpbrk(err.message, "\r\n"));
    MUST((err.detail != 0) == (status == SCARLET_ERROR_IO));
    MUST(strcmp(scarlet_status_string(status), "unknown") != 0);
    return status;
}

/* ---- objects ---- */

static scarlet_options *options[SLOTS];
static scarlet_labels *labels[SLOTS];

const scarlet_labels *some_labels(void)
{
    return labels[below(SLOTS)];
}

scarlet_options *small_options(void)
{
    static const struct {
        scarlet_option key;
        int64_t most;
    } limits[] = {{SCARLET_OPT_THREADS, THREADS_MAX},   {SCARLET_OPT_BATCH_MAX, BATCH_MAX},
                  {SCARLET_OPT_INPUT_SIZE, SIDE_MAX},   {SCARLET_OPT_CROP, SIDE_MAX},
                  {SCARLET_OPT_MAX_PIXELS, PIXELS_MAX}, {SCARLET_OPT_MAX_BYTES, 1 << 24}};
    scarlet_options *opts = options[below(SLOTS)];
    for (size_t i = 0; opts && i < sizeof limits / sizeof *limits; i++) {
        int64_t value;
        MUST(scarlet_options_get(opts, limits[i].key, &value, NULL) == SCARLET_OK);
        if (value > limits[i].most || (value == 0 && limits[i].key == SCARLET_OPT_THREADS))
            MUST(scarlet_options_set(opts, limits[i].key, limits[i].most, NULL) == SCARLET_OK);
    }
    return opts;
}

/* ---- options ---- */

static void on_log(void *user, int32_t level, const char *line)
{
    MUST(user == &err && level >= 1 && level <= 4 && !strchr(line, '\n'));
}

static void call_options_set(scarlet_options *opts)
{
    scarlet_option key;
    int64_t min, max, dflt, value, found;
    bool known = scarlet_option_describe(below(32), &key, NULL, &min, &max, &dflt, NULL) == 0;
    if (!known)
        key = (scarlet_option)any_integer(), min = 0, max = 0;
    switch (below(4)) {
    case 0:
        value = min;
        break;
    case 1:
        value = max;
        break;
    case 2:
        value = any_integer();
        break;
    default:
        value = max - min < 256 && max > min ? min + below((unsigned)(max - min) + 1) : byte();
    }
    scarlet_option_value_name(key, value);
    scarlet_status status = done(scarlet_options_set(opts, key, value, fresh()));
    MUST(!known || (status == SCARLET_OK) == (opts && value >= min && value <= max));
    if (status == SCARLET_OK)
        MUST(scarlet_options_get(opts, key, &found, NULL) == SCARLET_OK && found == value);
}

static void call_options(void)
{
    scarlet_options **opts = &options[below(SLOTS)];
    size_t size;
    char text[256];
    float mean[3] = {number(), number(), number()}, std[3] = {number(), number(), number()};
    int64_t value;
    switch (below(8)) {
    case 0:
        scarlet_options_free(*opts);
        *opts = seldom(2) ? NULL : scarlet_options_create();
        break;
    case 1: {
        const uint8_t *from = bytes(sizeof text - 1, &size);
        memcpy(text, from, size);
        text[size] = '\0';
        done(scarlet_options_parse(*opts, seldom(16) ? NULL : text, fresh()));
        break;
    }
    case 2:
        done(scarlet_options_set_normalization(*opts, seldom(8) ? NULL : mean,
                                               seldom(8) ? NULL : std, fresh()));
        break;
    case 3:
        scarlet_options_set_log(*opts, seldom(3) ? NULL : on_log, &err, (int32_t)below(6));
        break;
    case 4:
        done(scarlet_options_get(*opts, (scarlet_option)any_integer(), seldom(8) ? NULL : &value,
                                 fresh()));
        break;
    default:
        call_options_set(*opts);
    }
}

/* ---- results ---- */

static void call_labels(void)
{
    scarlet_labels **slot = &labels[below(SLOTS)];
    size_t size;
    const uint8_t *data;
    switch (below(4)) {
    case 0:
        scarlet_labels_free(*slot);
        *slot = NULL;
        break;
    case 1:
        scarlet_labels_free(*slot);
        CREATED(scarlet_labels_builtin(seldom(8)   ? NULL
                                       : seldom(8) ? "other"
                                                   : "imagenet-1k",
                                       slot, fresh()),
                *slot);
        break;
    case 2:
        scarlet_labels_free(*slot);
        data = bytes(SIZE_MAX, &size);
        CREATED(scarlet_labels_load(seldom(16) ? NULL : fuzz_file(0, data, size), slot, fresh()),
                *slot);
        break;
    default:
        scarlet_labels_get(*slot, (int32_t)any_integer());
        MUST((scarlet_labels_count(*slot) > 0) == (*slot != NULL));
    }
}

static void call_topk(void)
{
    size_t n = below(9), k = seldom(8) ? SIZE_MAX : below(12);
    float *scores = calloc(n + 1, sizeof *scores), *p = calloc(n + 1, sizeof *p);
    scarlet_prediction *top = malloc((n < k ? n : k) * sizeof *top + 1);
    MUST(scores && p && top);
    bool odd = false;
    for (size_t i = 0; i < n; i++) {
        scores[i] = number();
        odd |= !isfinite(scores[i]);
    }
    size_t found = scarlet_topk(scores, n, k, top);
    MUST(found == (n < k ? n : k));
    for (size_t i = 0; i < found; i++) {
        MUST(top[i].class_id >= 0 && (size_t)top[i].class_id < n);
        MUST(memcmp(&top[i].score, &scores[top[i].class_id], sizeof *scores) == 0);
        MUST(i == 0 || isnan(top[i].score) || top[i].score <= top[i - 1].score);
    }
    MUST(scarlet_topk(NULL, n, k, top) == 0 && scarlet_topk(scores, n, k, NULL) == 0);
    scarlet_softmax(scores, n, p);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)p[i];
    MUST(n == 0 || odd || fabs(sum - 1) < 1e-5);
    scarlet_softmax(scores, n, scores);
    MUST(memcmp(scores, p, n * sizeof *p) == 0);
    free(scores);
    free(p);
    free(top);
}

static void call_static(void)
{
    MUST(scarlet_version() == SCARLET_VERSION && *scarlet_version_string() &&
         *scarlet_build_info());
    MUST(*scarlet_status_string((scarlet_status)any_integer()));
    scarlet_option_value_name((scarlet_option)any_integer(), any_integer());
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const calls[])(void) = {call_options, call_model,  call_session, call_session,
                                          call_picture, call_labels, call_topk,    call_static};
    at = data;
    end = data + size;
    for (unsigned i = 0; i < CALLS_MAX && at < end; i++)
        calls[below(sizeof calls / sizeof *calls)]();
    free_models(byte() % 2);
    free_pictures();
    for (unsigned i = 0; i < SLOTS; i++) {
        scarlet_options_free(options[i]);
        scarlet_labels_free(labels[i]);
        options[i] = NULL;
        labels[i] = NULL;
    }
    return 0;
}
