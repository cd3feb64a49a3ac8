/* Models and sessions of the API's fuzzer. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "model_file.h"

static scarlet_model *models[SLOTS];
static scarlet_session *sessions[SLOTS];

/* ---- models ---- */

enum { FILES = 3 };
static struct {
    char *data;
    size_t size;
} model_files[FILES];

static void make_files(void)
{
    if (model_files[0].data)
        return;
    static const struct {
        const char *genotype, *space;
        int classes;
    } about[FILES] = {{"id", "stem=2 tail=2 layers=2:1", 2},
                      {"e3k3se,id,e6k5", "stem=4 tail=3 layers=4:2,4:1,5:1", 3},
                      {"e3k7,e3k3", "stem=8 tail=9 layers=3:2,3:1", 1}};
    for (size_t i = 0; i < FILES; i++) {
        FILE *file = open_memstream(&model_files[i].data, &model_files[i].size);
        MUST(file && model_file(file, about[i].genotype, about[i].classes, about[i].space, NULL));
        MUST(fclose(file) == 0);
    }
}

/* A model file: one of ours, some bytes of it changed or its end cut, or bytes of the input. */
static uint8_t *any_model(size_t *size)
{
    make_files();
    unsigned which = below(FILES + 1), changes = byte();
    uint8_t *data;
    if (which == FILES) {
        const uint8_t *from = bytes(SIZE_MAX, size);
        MUST(data = malloc(*size ? *size : 1));
        memcpy(data, from, *size);
        return data;
    }
    *size = model_files[which].size;
    MUST(data = malloc(*size));
    memcpy(data, model_files[which].data, *size);
    for (unsigned i = changes > 128 ? changes % 4 : 0; i > 0; i--) {
        size_t place = (size_t)byte() << 8;
        place |= byte();
        data[place % *size] = (uint8_t)byte();
    }
    if (changes == 128)
        *size -= byte();
    return data;
}

static void query_model(const scarlet_model *model)
{
    scarlet_info what = (scarlet_info)below(64);
    int64_t classes = scarlet_model_get(model, SCARLET_INFO_CLASSES);
    int64_t layers = scarlet_model_get(model, SCARLET_INFO_LAYERS);
    MUST(model ? classes >= 1 && layers >= 5 : classes == -1 && layers == -1);
    MUST((scarlet_model_name(model) != NULL) == (model != NULL));
    MUST((scarlet_model_genotype(model) != NULL) == (model != NULL));
    MUST(scarlet_model_get(model, what) >= -1);
    size_t layer = below(16);
    MUST((scarlet_model_layer_name(model, layer) != NULL) == ((int64_t)layer < layers));
    MUST(scarlet_model_layer_get(model, layer, what) >= -1);
    scarlet_model_label(model, (int32_t)any_integer());
    const char *key = scarlet_model_metadata_key(model, below(4));
    const char *value = scarlet_model_metadata(model, key);
    MUST((key != NULL) == (value != NULL));
    scarlet_options *opts;
    CREATED(scarlet_model_options(model, &opts, fresh()), opts);
    scarlet_options_free(opts);
}

static void convert(const uint8_t *data, size_t size)
{
    static char target[64];
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(target, sizeof target, "%s/scarlet-fuzz-%d", folder, (int)getpid());
    const char *source = fuzz_file(0, data, size);
    scarlet_model *model;
    if (done(scarlet_convert(seldom(16) ? NULL : source, seldom(16) ? NULL : target, some_labels(),
                             small_options(), fresh())) != SCARLET_OK) {
        MUST(access(target, F_OK) != 0);
        return;
    }
    CREATED(scarlet_model_load(target, NULL, &model, fresh()), model);
    MUST(model); /* what was written can be read */
    scarlet_model_free(model);
    MUST(unlink(target) == 0);
}

void call_model(void)
{
    scarlet_model **model = &models[below(SLOTS)];
    unsigned what = below(8);
    size_t size;
    if (what == 0) {
        query_model(*model);
    } else if (what == 1) {
        scarlet_model_free(*model);
        *model = NULL;
    } else {
        uint8_t *data = any_model(&size);
        if (what == 2) {
            convert(data, size);
        } else {
            scarlet_model_free(*model);
            scarlet_options *opts = small_options();
            if (what == 3)
                CREATED(scarlet_model_load(fuzz_file(0, data, size), opts, model, fresh()), *model);
            else
                CREATED(
                    scarlet_model_load_memory(seldom(16) ? NULL : data, size, opts, model, fresh()),
                    *model);
        }
        free(data);
    }
}

/* ---- sessions ---- */

static volatile float seen;

static void on_layer(void *user, size_t picture, size_t layer, const char *name,
                     const int64_t shape[3], const float *values, int64_t nanos)
{
    MUST(user == &err && picture < BATCH_MAX && layer < 16 && name && nanos >= 0);
    for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++)
        seen = values[i];
}

static void create_session(scarlet_session **session)
{
    scarlet_model *model = models[below(SLOTS)];
    scarlet_options *opts = small_options();
    int64_t side = 0;
    if (opts)
        scarlet_options_get(opts, SCARLET_OPT_INPUT_SIZE, &side, NULL);
    if (side == 0 && scarlet_model_get(model, SCARLET_INFO_INPUT_SIZE) > SIDE_MAX)
        return; /* as the model's metadata want it */
    scarlet_session_free(*session);
    CREATED(scarlet_session_create(model, opts, session, fresh()), *session);
}

/* Mostly finite numbers, from few bytes. */
static void fill(float *values, size_t count)
{
    float some[8];
    for (size_t i = 0; i < 8; i++)
        some[i] = seldom(32) ? number() : (float)byte() / 64 - 2;
    for (size_t i = 0; i < count; i++)
        values[i] = some[(i * i + (i >> 3)) % 8];
}

static void infer(scarlet_session *session)
{
    int64_t side = scarlet_session_get(session, SCARLET_INFO_INPUT_SIZE);
    int64_t length = scarlet_session_get(session, SCARLET_INFO_OUTPUT_LENGTH);
    size_t batch = below(BATCH_MAX + 2), room, wrong = seldom(16);
    size_t input_length = batch * 3 * (size_t)(side * side) + wrong;
    size_t scores_length = batch * (size_t)(length > 0 ? length : 0) + seldom(16);
    float *own = scarlet_session_input(session, &room), *mine = NULL;
    MUST((own != NULL) == (session != NULL));
    float *input = own;
    if (seldom(2) || room < input_length)
        MUST(input = mine = malloc(input_length * sizeof *mine + 1));
    fill(input, input_length);
    float *scores = malloc(scores_length * sizeof *scores + 1);
    float *again = malloc(scores_length * sizeof *scores + 1);
    MUST(scores && again);
    if (done(scarlet_infer(session, seldom(32) ? NULL : input, input_length, batch,
                           seldom(32) ? NULL : scores, scores_length, fresh())) == SCARLET_OK) {
        MUST(done(scarlet_infer(session, input, input_length, batch, again, scores_length,
                                fresh())) == SCARLET_OK);
        MUST(memcmp(scores, again, scores_length * sizeof *scores) == 0);
    }
    free(scores);
    free(again);
    free(mine);
}

static void classify(scarlet_session *session)
{
    int64_t classes = scarlet_session_get(session, SCARLET_INFO_CLASSES);
    size_t k = seldom(16) ? SIZE_MAX : below(6), count = 77;
    size_t expected = classes < 0 || k < (size_t)classes ? k : (size_t)classes;
    scarlet_prediction *out = malloc((expected < 6 ? expected : 6) * sizeof *out + 1);
    MUST(out);
    if (expected > 6)
        k = expected = 6;
    if (done(scarlet_classify(session, some_picture(), small_options(), k, seldom(32) ? NULL : out,
                              seldom(4) ? NULL : &count, fresh())) == SCARLET_OK) {
        MUST(count == expected || count == 77);
        for (size_t i = 0; i < expected; i++) {
            MUST(out[i].class_id >= 0 && out[i].class_id < classes);
            MUST(!(out[i].score < 0) && !(out[i].score > 1)); /* may be NaN */
            MUST(i == 0 || !(out[i].score > out[i - 1].score));
        }
    }
    free(out);
}

void call_session(void)
{
    scarlet_session **session = &sessions[below(SLOTS)];
    switch (below(8)) {
    case 0:
        scarlet_session_free(*session);
        *session = NULL;
        break;
    case 1:
    case 2:
        create_session(session);
        break;
    case 3:
        MUST(scarlet_session_get(*session, (scarlet_info)below(64)) >= -1);
        MUST(scarlet_session_layer_macs(*session, below(16)) >= -1);
        MUST(scarlet_session_peak(NULL) == -1);
        break;
    case 4:
        done(scarlet_session_set_trace(*session, seldom(3) ? NULL : on_layer, &err, fresh()));
        break;
    case 5:
        classify(*session);
        break;
    default:
        infer(*session);
    }
}

/* Sessions may outlive their models. */
void free_models(bool before_sessions)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        if (before_sessions)
            scarlet_model_free(models[i]);
        scarlet_session_free(sessions[i]);
        if (!before_sessions)
            scarlet_model_free(models[i]);
        models[i] = NULL;
        sessions[i] = NULL;
    }
}
