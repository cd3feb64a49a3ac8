#include "formats/open.h"

#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/bookkeeping.h"
#include "formats/readers.h"
#include "formats/sniff.h"

static const char *name_of(const void *items, uint32_t i)
{
    return ((const scarlet__tensor *)items)[i].name;
}

static scarlet_status index_names(scarlet__tensors *t, scarlet_error *err)
{
    if (!scarlet__names_index(&t->by_name, t->tensor, t->count, name_of))
        return scarlet__fail_memory(err);
    const char *twice = scarlet__names_twice(&t->by_name);
    return twice ? scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: tensor %s occurs twice",
                                 t->source->name, twice)
                 : SCARLET_OK;
}

static scarlet_status check_size(const scarlet__tensors *t, scarlet_error *err)
{
    uint64_t total = 0, bytes;
    for (size_t i = 0; i < t->count; i++) {
        if (__builtin_mul_overflow(t->tensor[i].count, scarlet__dtype_size(t->tensor[i].dtype),
                                   &bytes) ||
            __builtin_add_overflow(total, bytes, &total) || total > t->max_bytes)
            return scarlet__fail(err, SCARLET_ERROR_LIMIT,
                                 "%s: its tensors take more than %llu bytes (option max_bytes)",
                                 t->source->name, (unsigned long long)t->max_bytes);
    }
    return SCARLET_OK;
}

static scarlet_status read_directory(scarlet__tensors *t, scarlet_error *err)
{
    uint8_t head[SCARLET__SNIFF_SIZE];
    size_t length = t->source->size < sizeof head ? (size_t)t->source->size : sizeof head;
    const char *what;
    scarlet_status status = scarlet__source_read(t->source, 0, head, length, err);
    if (status != SCARLET_OK)
        return status;
    t->file_kind = scarlet__sniff(head, length, &what);
    switch (t->file_kind) {
    case SCARLET_FILE_LEGACY:
        return scarlet__torch_legacy_read(t, err);
    case SCARLET_FILE_ZIP:
        return scarlet__torch_zip_read(t, err);
    case SCARLET_FILE_SAFETENSORS:
        return scarlet__safetensors_read(t, err);
    default:
        return scarlet__fail(err, SCARLET_ERROR_FORMAT, "%s: not a checkpoint: %s", t->source->name,
                             what);
    }
}

static void keep_names(scarlet__tensors *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->tensor[i].stored = t->tensor[i].name;
}

scarlet_status scarlet__tensors_open(const scarlet__source *source, uint64_t max_bytes,
                                     scarlet__tensors **out, scarlet_error *err)
{
    *out = NULL;
    scarlet__tensors *t = scarlet__calloc(1, sizeof *t);
    if (!t)
        return scarlet__fail_memory(err);
    t->source = source;
    t->max_bytes = max_bytes;
    t->fetched = scarlet__calloc(1, sizeof *t->fetched);
    scarlet_status status = t->fetched ? read_directory(t, err) : scarlet__fail_memory(err);
    if (status == SCARLET_OK) {
        scarlet__drop_bookkeeping(t);
        keep_names(t);
        status = index_names(t, err);
    }
    if (status == SCARLET_OK)
        status = check_size(t, err);
    if (status != SCARLET_OK) {
        scarlet__tensors_free(t);
        return status;
    }
    *out = t;
    return SCARLET_OK;
}

scarlet_status scarlet__tensors_rename(scarlet__tensors *t, char *names, size_t size,
                                       scarlet_error *err)
{
    t->renamed = names;
    for (size_t i = 0; i < t->count; i++)
        if (names[i * size])
            t->tensor[i].name = names + i * size;
    scarlet__names_free(&t->by_name);
    return index_names(t, err);
}

scarlet_status scarlet__tensors_add_metadata(scarlet__tensors *t, const char *key,
                                             const char *value, scarlet_error *err)
{
    char **keys = scarlet__realloc(t->key, t->metadata_count + 1, sizeof *keys);
    t->key = keys ? keys : t->key;
    char **values = scarlet__realloc(t->value, t->metadata_count + 1, sizeof *values);
    t->value = values ? values : t->value;
    if (!keys || !values)
        return scarlet__fail_memory(err);
    t->key[t->metadata_count] = (char *)key;
    t->value[t->metadata_count++] = (char *)value;
    return SCARLET_OK;
}
