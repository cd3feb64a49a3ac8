/* Any checkpoint of the family to one safetensors file: a complete classifier. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/host.h"
#include "common/io.h"
#include "common/memory.h"
#include "common/options.h"
#include "formats/json.h"
#include "formats/safetensors_write.h"
#include "network/find.h"
#include "network/metadata.h"

enum { KEYS_OF_OURS = 7 };

/* Metadata of the new file, in the order in which it is written. */
typedef struct {
    const char **key, **value; /* room for the source's keys and ours */
    size_t count;
    scarlet__text labels;
    char input_size[16], resize[16], mean[64], std[64];
} target;

/* Replaces the value of a key, or appends it. */
static void put(target *t, const char *key, const char *value)
{
    size_t i = 0;
    while (i < t->count && strcmp(t->key[i], key) != 0)
        i++;
    t->key[i] = key;
    t->value[i] = value;
    t->count += i == t->count;
}

/* Shortest of 6 .. 9 digits that gives the same float. */
static void put_float(char *text, size_t room, float x)
{
    for (int digits = 6; digits <= 9; digits++) {
        double back;
        snprintf(text, room, "%.*g", digits, (double)x);
        for (char *p = text; *p; p++) /* the host's locale may have a decimal comma */
            if (*p == ',')
                *p = '.';
        if (scarlet__parse_decimal(text, strlen(text), &back) && (float)back == x)
            return;
    }
}

static void put_triple(char *text, size_t room, const float x[3])
{
    size_t used = 0;
    for (int c = 0; c < 3; c++) {
        char number[24];
        put_float(number, sizeof number, x[c]);
        used += (size_t)snprintf(text + used, room - used, "%s%s", c ? "," : "", number);
    }
}

static void put_pixels(target *t, const char *key, char *text, size_t room,
                       const scarlet_options *opts, scarlet_option option)
{
    int64_t value;
    if (!scarlet__option_set(opts, option, &value))
        return;
    snprintf(text, room, "%" PRId64, value);
    put(t, key, text);
}

static scarlet_status describe(target *t, const scarlet__metadata *m,
                               const scarlet__network *network, const scarlet_labels *labels,
                               const scarlet_options *opts, scarlet_error *err)
{
    int classes = network->classes;
    int64_t side;
    if (scarlet__option_set(opts, SCARLET_OPT_INPUT_SIZE, &side) &&
        side % network->total_stride != 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "option input_size: %" PRId64
                             " is not a multiple of the network's "
                             "total stride %d",
                             side, (int)network->total_stride);
    t->key = scarlet__alloc(m->count + KEYS_OF_OURS, sizeof *t->key);
    t->value = scarlet__alloc(m->count + KEYS_OF_OURS, sizeof *t->value);
    if (!t->key || !t->value)
        return scarlet__fail_memory(err);
    put(t, "scarlet.format", "1");
    for (size_t i = 0; i < m->count; i++)
        put(t, m->key[i], m->value[i]);
    if (labels) {
        if (scarlet_labels_count(labels) != (size_t)classes)
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%zu labels for %d classes",
                                 scarlet_labels_count(labels), classes);
        scarlet__text_put(&t->labels, "[");
        for (int i = 0; i < classes; i++) {
            scarlet__text_put(&t->labels, i ? "," : "");
            scarlet__text_put_string(&t->labels, scarlet_labels_get(labels, i));
        }
        scarlet__text_put(&t->labels, "]");
        if (t->labels.failed)
            return scarlet__fail_memory(err);
        put(t, "scarlet.labels", t->labels.data);
    }
    put_pixels(t, "scarlet.input_size", t->input_size, sizeof t->input_size, opts,
               SCARLET_OPT_INPUT_SIZE);
    put_pixels(t, "scarlet.resize", t->resize, sizeof t->resize, opts, SCARLET_OPT_RESIZE);
    float mean[3], std[3];
    if (scarlet__option_normalization(opts, mean, std)) {
        put_triple(t->mean, sizeof t->mean, mean);
        put_triple(t->std, sizeof t->std, std);
        put(t, "scarlet.mean", t->mean);
        put(t, "scarlet.std", t->std);
    }
    return SCARLET_OK;
}

/* Convolution and linear weights may be f16; batch norm and biases stay f32, since a running_var
 * of 1e-8 would become 0, one above 65504 infinite. Counters of training are left out. */
static bool choose(const void *user, const scarlet__tensor *tensor, scarlet__dtype *dtype)
{
    bool half = *(const int64_t *)user == SCARLET_STORAGE_F16;
    if (scarlet__network_is_counter(tensor->name))
        return false;
    *dtype = half && tensor->rank >= 2 ? SCARLET__F16 : SCARLET__F32;
    return true;
}

static scarlet_status convert(const scarlet__source *source, const char *path,
                              const scarlet_labels *labels, const scarlet_options *opts,
                              scarlet_error *err)
{
    scarlet__tensors *tensors = NULL;
    scarlet__metadata metadata = {0};
    target t = {0};
    scarlet__network *network = scarlet__alloc(1, sizeof *network);
    if (!network)
        return scarlet__fail_memory(err);
    uint64_t max_bytes = (uint64_t)scarlet__option(opts, SCARLET_OPT_MAX_BYTES);
    int64_t storage = scarlet__option(opts, SCARLET_OPT_STORAGE);
    scarlet_status status = scarlet__tensors_open(source, max_bytes, &tensors, err);
    if (status == SCARLET_OK)
        status = scarlet__network_find(tensors, network, err);
    if (status == SCARLET_OK)
        status = scarlet__metadata_read(tensors, network, &metadata, err);
    if (status == SCARLET_OK)
        status = describe(&t, &metadata, network, labels, opts, err);
    if (status == SCARLET_OK)
        status = scarlet__safetensors_write(path, tensors, choose, &storage, t.key, t.value,
                                            t.count, err);
    scarlet__free(t.key);
    scarlet__free(t.value);
    scarlet__free(t.labels.data);
    scarlet__metadata_free(&metadata);
    scarlet__tensors_free(tensors);
    scarlet__free(network);
    return status;
}

scarlet_status scarlet_convert(const char *source, const char *path, const scarlet_labels *labels,
                               const scarlet_options *opts, scarlet_error *err)
{
    if (!source || !path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             source ? "target" : "source");
    scarlet__host host = scarlet__host_enter();
    scarlet__source opened;
    scarlet_status status = scarlet__source_open(source, &opened, err);
    if (status == SCARLET_OK)
        status = convert(&opened, path, labels, opts, err);
    scarlet__source_close(&opened);
    scarlet__host_leave(&host);
    return status;
}
