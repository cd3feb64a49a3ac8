/*
 * Fails each allocation in turn and expects MEMORY, nothing half-made, nothing leaked.
 *
 *   allocations MODEL|PICTURE...
 *
 * For each file, the n-th allocation of a whole use fails, n = 1, 2, 3 ... until all succeed:
 * loading, sessions of each engine and precision, conversion; decoding, preprocessing, classifying.
 * Leaks are found by LeakSanitizer where the program is built with it, and by counting everywhere.
 */
#include <unistd.h>

#define SCARLET_EXPERIMENTAL
#include "scarlet/scarlet.h"

#include "common/memory.h"
#include "test.h"

static size_t calls, fail_at;
static scarlet_model *small;

static bool gate(size_t size)
{
    (void)size;
    return ++calls != fail_at;
}

static scarlet_error err;

/* What every failing call must look like; `out` is the address of its output handle, or NULL. */
static bool out_of_memory(scarlet_status status, void *out)
{
    if (status == SCARLET_OK)
        return false;
    CHECK(status == SCARLET_ERROR_MEMORY);
    CHECK(err.status == SCARLET_ERROR_MEMORY);
    CHECK(!out || !*(void **)out);
    if (status != SCARLET_ERROR_MEMORY)
        fprintf(stderr, "%s\n", err.message);
    return true;
}

/* Returns whether all went well; false: an allocation failed, and was reported. */
typedef bool (*use)(const char *path);

static bool load(const char *path)
{
    scarlet_model *model;
    return !out_of_memory(scarlet_model_load(path, NULL, &model, &err), &model) &&
           (scarlet_model_free(model), true);
}

static bool with_options(const char *path, const char *text)
{
    scarlet_options *opts = scarlet_options_create();
    if (!opts)
        return false;
    scarlet_model *model = NULL;
    scarlet_session *session = NULL;
    CHECK(scarlet_options_parse(opts, text, &err) == SCARLET_OK);
    bool ok = !out_of_memory(scarlet_model_load(path, opts, &model, &err), &model) &&
              !out_of_memory(scarlet_session_create(model, opts, &session, &err), &session);
    scarlet_options_free(opts);
    scarlet_model_free(model); /* before its session */
    scarlet_session_free(session);
    return ok;
}

static bool fused(const char *path)
{
    return with_options(path, "engine=fused,threads=2,batch_max=2");
}

static bool int8(const char *path)
{
    return with_options(path, "precision=int8,threads=2,batch_max=2");
}

static bool int16(const char *path)
{
    return with_options(path, "precision=int16");
}

static bool xnnpack(const char *path)
{
    return with_options(path, "engine=xnnpack");
}

static bool model_options(const char *path)
{
    scarlet_model *model = NULL;
    scarlet_options *opts = NULL;
    bool ok = !out_of_memory(scarlet_model_load(path, NULL, &model, &err), &model) &&
              !out_of_memory(scarlet_model_options(model, &opts, &err), &opts);
    scarlet_options_free(opts);
    scarlet_model_free(model);
    return ok;
}

static bool convert(const char *path)
{
    char target[512];
    snprintf(target, sizeof target, "%s.converted", path);
    unlink(target);
    bool ok = !out_of_memory(scarlet_convert(path, target, NULL, NULL, &err), NULL);
    CHECK((access(target, F_OK) == 0) == ok);
    unlink(target);
    return ok;
}

static bool decode_as(const char *path, const scarlet_options *opts)
{
    scarlet_image *image = NULL, *resized = NULL;
    static float out[3 * 224 * 224];
    bool ok =
        !out_of_memory(scarlet_image_load(path, opts, &image, &err), &image) &&
        !out_of_memory(scarlet_image_resize(image, 31, 17, SCARLET_FILTER_BILINEAR, &resized, &err),
                       &resized) &&
        !out_of_memory(scarlet_preprocess(image, NULL, out, 3 * 224 * 224, &err), NULL);
    scarlet_image_free(image);
    scarlet_image_free(resized);
    return ok;
}

static bool decode(const char *path)
{
    return decode_as(path, NULL);
}

/* A JPEG at half its size. */
static bool decode_fast(const char *path)
{
    scarlet_options *opts = scarlet_options_create();
    if (!opts)
        return false;
    CHECK(scarlet_options_parse(opts, "decode=fast,resize=9", &err) == SCARLET_OK);
    bool ok = decode_as(path, opts);
    scarlet_options_free(opts);
    return ok;
}

static bool classify(const char *path)
{
    scarlet_image *image = NULL;
    scarlet_session *session = NULL;
    scarlet_prediction top[2];
    bool ok = !out_of_memory(scarlet_image_load(path, NULL, &image, &err), &image) &&
              !out_of_memory(scarlet_session_create(small, NULL, &session, &err), &session) &&
              !out_of_memory(scarlet_classify(session, image, NULL, 2, top, NULL, &err), NULL);
    scarlet_image_free(image);
    scarlet_session_free(session);
    return ok;
}

static void try_all(const char *path, const char *name, use run)
{
    for (fail_at = 1;; fail_at++) {
        calls = 0;
        scarlet__alloc_gate = gate;
        bool ok = run(path);
        scarlet__alloc_gate = NULL;
        bool failed = calls >= fail_at;
        if (!CHECK(ok == !failed)) {
            fprintf(stderr, "%s: %s, allocation %zu\n", path, name, fail_at);
            return;
        }
        if (ok)
            break;
    }
    CHECK(fail_at > 1);
    printf("%s: %s: %zu allocations\n", path, name, fail_at - 1);
}

int main(int argc, char **argv)
{
    if (argc < 2 || scarlet_model_load(argv[1], NULL, &small, &err) != SCARLET_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        size_t n = strlen(argv[i]);
        if (strcmp(argv[i] + n - 4, ".jpg") == 0 || strcmp(argv[i] + n - 4, ".png") == 0) {
            try_all(argv[i], "decode", decode);
            try_all(argv[i], "decode=fast", decode_fast);
            try_all(argv[i], "classify", classify);
        } else {
            try_all(argv[i], "load", load);
            try_all(argv[i], "model options", model_options);
            try_all(argv[i], "fused session", fused);
            try_all(argv[i], "int8", int8);
            try_all(argv[i], "int16", int16);
            if (XNNPACK)
                try_all(argv[i], "XNNPACK session", xnnpack);
            try_all(argv[i], "convert", convert);
        }
    }
    scarlet_model_free(small);
    return test_result();
}
