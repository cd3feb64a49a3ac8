/* Any checkpoint of the family to one safetensors file: a complete classifier. */
#include <string.h>

#include "common/error.h"
#include "common/host.h"
#include "common/io.h"
#include "common/memory.h"
#include "formats/open.h"
#include "network/find.h"
#include "network/store.h"
#include "options/options.h"

typedef struct {
    const char *target;
    const scarlet__tensors *tensors;
    scarlet__entry *entry; /* what is written, and what of the source it is */
    const scarlet__tensor **of;
    size_t count;
} job;

/* ---- metadata ---- */

/* The sizes that options ask for. The file's resize follows the input size. */
static scarlet_status describe_sizes(const scarlet__metadata *source, const scarlet_options *opts,
                                     scarlet__metadata *out, scarlet_error *err)
{
    int64_t side = source->input_size ? source->input_size : SCARLET__IMAGENET_SIDE, resize;
    if (scarlet__option_set(opts, SCARLET_OPT_INPUT_SIZE, &side)) {
        out->input_size = (int)side;
        out->resize = scarlet__metadata_resize(source, (int)side);
    }
    if (!scarlet__option_set(opts, SCARLET_OPT_RESIZE, &resize))
        return SCARLET_OK;
    out->resize = (int)resize;
    return resize >= side ? SCARLET_OK
                          : scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                          "option resize: %lld is less than the input size %lld",
                                          (long long)resize, (long long)side);
}

/* What labels and options say of the classifier. */
static scarlet_status describe(const scarlet__network *network, const scarlet__metadata *source,
                               const scarlet_labels *labels, const scarlet_options *opts,
                               scarlet__metadata *out, scarlet_error *err)
{
    int64_t orient = 0;
    scarlet_status status = describe_sizes(source, opts, out, err);
    if (status != SCARLET_OK)
        return status;
    out->has_auto_orient = scarlet__option_set(opts, SCARLET_OPT_AUTO_ORIENT, &orient);
    out->auto_orient = orient;
    out->has_mean = out->has_std = scarlet__option_normalization(opts, out->mean, out->std);
    if (!labels)
        return SCARLET_OK;
    size_t count = scarlet_labels_count(labels);
    if (count != (size_t)network->classes)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%zu labels for %d classes", count,
                             network->classes);
    out->label = scarlet__alloc(count, sizeof *out->label);
    if (!out->label)
        return scarlet__fail_memory(err);
    for (; out->label_count < count; out->label_count++)
        out->label[out->label_count] = scarlet_labels_get(labels, (int32_t)out->label_count);
    return SCARLET_OK;
}

/* ---- tensors ---- */

/* All but counters of training. */
static scarlet_status choose(job *j, scarlet_error *err)
{
    const scarlet__tensors *tensors = j->tensors;
    j->entry = scarlet__alloc(tensors->count, sizeof *j->entry);
    /* One pointer each. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    j->of = scarlet__alloc(tensors->count, sizeof *j->of);
    if (!j->entry || !j->of)
        return scarlet__fail_memory(err);
    for (size_t i = 0; i < tensors->count; i++) {
        const scarlet__tensor *tensor = &tensors->tensor[i];
        if (scarlet__network_is_counter(tensor->name))
            continue;
        scarlet__entry *entry = &j->entry[j->count];
        *entry = (scarlet__entry){.name = tensor->name, .rank = tensor->rank};
        memcpy(entry->shape, tensor->shape, sizeof entry->shape);
        j->of[j->count++] = tensor;
    }
    return SCARLET_OK;
}

static scarlet_status read_values(void *user, size_t index, uint64_t first, size_t count,
                                  float *out, scarlet_error *err)
{
    const job *j = user;
    return scarlet__tensor_read_f32(j->tensors, j->of[index], first, count, out, err);
}

static scarlet_status write_file(job *j, const scarlet__metadata_text *text, bool half,
                                 scarlet_error *err)
{
    const scarlet__store store = {.metadata = text,
                                  .entry = j->entry,
                                  .count = j->count,
                                  .half = half,
                                  .read = read_values,
                                  .user = j};
    scarlet__output output;
    scarlet_status status = scarlet__output_open(j->target, &output, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet__store_put(&store, &output, j->target, err);
    if (status == SCARLET_OK)
        return scarlet__output_commit(&output, err);
    scarlet__output_abandon(&output);
    return status;
}

/* Whether weights become f16: as the option says, or as they are in the source. */
static bool half(const scarlet__tensors *tensors, const scarlet_options *opts)
{
    int64_t storage = scarlet__option(opts, SCARLET_OPT_STORAGE);
    if (storage != SCARLET_STORAGE_SOURCE)
        return storage == SCARLET_STORAGE_F16;
    for (size_t i = 0; i < tensors->count; i++)
        if (tensors->tensor[i].rank >= 2 && tensors->tensor[i].dtype != SCARLET__F16)
            return false;
    return true;
}

static scarlet_status convert(const scarlet__source *source, const char *target,
                              const scarlet_labels *labels, const scarlet_options *opts,
                              scarlet_error *err)
{
    scarlet__tensors *tensors = NULL;
    scarlet__metadata metadata = {0}, changes = {0};
    scarlet__metadata_text text = {0};
    job j = {.target = target};
    scarlet__network *network = scarlet__alloc(1, sizeof *network);
    if (!network)
        return scarlet__fail_memory(err);
    uint64_t max_bytes = (uint64_t)scarlet__option(opts, SCARLET_OPT_MAX_BYTES);
    scarlet_status status = scarlet__tensors_open(source, max_bytes, &tensors, err);
    if (status == SCARLET_OK)
        status = scarlet__network_find(tensors, network, err);
    if (status == SCARLET_OK)
        status = scarlet__metadata_read(tensors, network, &metadata, err);
    if (status == SCARLET_OK)
        status = describe(network, &metadata, labels, opts, &changes, err);
    if (status == SCARLET_OK)
        status = scarlet__metadata_write(&metadata, &changes, &text, err);
    j.tensors = tensors;
    if (status == SCARLET_OK)
        status = choose(&j, err);
    if (status == SCARLET_OK)
        status = write_file(&j, &text, half(tensors, opts), err);
    scarlet__free(j.entry);
    scarlet__free(j.of);
    scarlet__metadata_text_free(&text);
    scarlet__metadata_free(&changes);
    scarlet__metadata_free(&metadata);
    scarlet__tensors_free(tensors);
    scarlet__free(network);
    return status;
}

scarlet_status scarlet_convert(const char *source, const char *target, const scarlet_labels *labels,
                               const scarlet_options *opts, scarlet_error *err)
{
    if (!source || !target)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             source ? "target" : "source");
    scarlet__host host = scarlet__host_enter();
    scarlet__source opened;
    scarlet_status status = scarlet__source_open(source, &opened, err);
    if (status == SCARLET_OK)
        status = convert(&opened, target, labels, opts, err);
    scarlet__source_close(&opened);
    scarlet__host_leave(&host);
    return status;
}
