/* safetensors: u64 length of a JSON header, the header, then the tensors without gaps. */
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "formats/json.h"
#include "formats/readers.h"
#include "formats/sort.h"

enum { PREFIX = 8, HEADER_MAX = 100000000 /* the format's own limit */ };

typedef struct {
    scarlet__tensors *tensors;
    size_t tensor_room, metadata_room;
    scarlet__json json;
    uint64_t data; /* file offset after the header */
    bool has_metadata;
    scarlet_error *err;
} reader;

static const char *name_of(const reader *r)
{
    return r->tensors->source->name;
}

/* The JSON is not what it must be. */
static scarlet_status bad_json(const reader *r)
{
    return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: safetensors header, byte %zu: %s",
                         name_of(r), PREFIX + r->json.at, r->json.problem);
}

static scarlet_status bad_tensor(const reader *r, const char *tensor, const char *problem)
{
    return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: tensor %s: %s", name_of(r), tensor,
                         problem);
}

static scarlet_status too_many(const reader *r, const char *what)
{
    return scarlet__fail(r->err, SCARLET_ERROR_LIMIT, "%s: more than %d %s", name_of(r),
                         SCARLET__ENTRIES_MAX, what);
}

static scarlet_status read_header(reader *r)
{
    const scarlet__source *source = r->tensors->source;
    uint64_t length = 0;
    scarlet_status status = scarlet__source_read(source, 0, &length, PREFIX, r->err);
    if (status != SCARLET_OK)
        return status;
    if (length > HEADER_MAX)
        return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT,
                             "%s: safetensors header of %llu bytes, the format allows %d",
                             name_of(r), (unsigned long long)length, HEADER_MAX);
    if (length > source->size - PREFIX)
        return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT,
                             "%s: cut short: safetensors header of %llu bytes, the file has %llu "
                             "after byte %d",
                             name_of(r), (unsigned long long)length,
                             (unsigned long long)(source->size - PREFIX), PREFIX);
    char *text = r->tensors->owned = scarlet__alloc((size_t)length + 1, 1);
    if (!text)
        return scarlet__fail_memory(r->err);
    status = scarlet__source_read(source, PREFIX, text, (size_t)length, r->err);
    if (status != SCARLET_OK)
        return status;
    text[length] = '\0';
    r->json = (scarlet__json){.text = text, .length = (size_t)length};
    r->data = PREFIX + length;
    r->json.at = scarlet__utf8_check(text, (size_t)length);
    if (r->json.at != length) {
        r->json.problem = "not UTF-8";
        return bad_json(r);
    }
    r->json.at = 0;
    return SCARLET_OK;
}

static scarlet_status read_metadata(reader *r)
{
    scarlet__tensors *t = r->tensors;
    if (r->has_metadata) {
        r->json.problem = "__metadata__ occurs twice";
        return bad_json(r);
    }
    r->has_metadata = true;
    if (!scarlet__json_expect(&r->json, '{'))
        return bad_json(r);
    if (scarlet__json_take(&r->json, '}'))
        return SCARLET_OK;
    do {
        if (t->metadata_count == SCARLET__ENTRIES_MAX)
            return too_many(r, "metadata entries");
        size_t room = r->metadata_room;
        if (!scarlet__grow((void **)&t->key, &room, t->metadata_count, sizeof *t->key,
                           SCARLET__ENTRIES_MAX) ||
            !scarlet__grow((void **)&t->value, &r->metadata_room, t->metadata_count,
                           sizeof *t->value, SCARLET__ENTRIES_MAX))
            return scarlet__fail_memory(r->err);
        if (!scarlet__json_string(&r->json, &t->key[t->metadata_count]) ||
            !scarlet__json_expect(&r->json, ':') ||
            !scarlet__json_string(&r->json, &t->value[t->metadata_count]))
            return bad_json(r);
        t->metadata_count++;
    } while (scarlet__json_take(&r->json, ','));
    return scarlet__json_expect(&r->json, '}') ? SCARLET_OK : bad_json(r);
}

/* [1, 2, 3] */
static bool read_shape(scarlet__json *json, scarlet__tensor *tensor)
{
    if (!scarlet__json_expect(json, '['))
        return false;
    if (scarlet__json_take(json, ']'))
        return true;
    do {
        uint64_t size;
        if (tensor->rank == SCARLET__RANK_MAX) {
            json->problem = "more than 8 dimensions";
            return false;
        }
        if (!scarlet__json_unsigned(json, &size))
            return false;
        if (size > INT64_MAX) {
            json->problem = "a dimension above 2^63";
            return false;
        }
        tensor->shape[tensor->rank++] = (int64_t)size;
    } while (scarlet__json_take(json, ','));
    return scarlet__json_expect(json, ']');
}

/* [begin, end] */
static bool read_offsets(scarlet__json *json, uint64_t offsets[2])
{
    return scarlet__json_expect(json, '[') && scarlet__json_unsigned(json, &offsets[0]) &&
           scarlet__json_expect(json, ',') && scarlet__json_unsigned(json, &offsets[1]) &&
           scarlet__json_expect(json, ']');
}

/* Sets count and row-major strides; false if the number of bytes passes 2^63. */
static bool measure(scarlet__tensor *tensor, int64_t *bytes)
{
    *bytes = (int64_t)scarlet__dtype_size(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++)
        if (__builtin_mul_overflow(*bytes, tensor->shape[i], bytes))
            return false;
    tensor->count = (uint64_t)*bytes / scarlet__dtype_size(tensor->dtype);
    int64_t stride = tensor->count != 0; /* of an empty tensor all strides are 0 */
    for (int i = tensor->rank; i-- > 0;) {
        tensor->stride[i] = stride;
        stride *= tensor->shape[i];
    }
    return true;
}

/* The object after a tensor's name. Offsets stay relative to the data. */
static scarlet_status read_tensor(reader *r, const char *name)
{
    scarlet__json *json = &r->json;
    scarlet__tensors *t = r->tensors;
    enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
    unsigned seen = 0;
    uint64_t offsets[2] = {0, 0};
    int64_t bytes;
    char *key, *type = "";

    if (t->count == SCARLET__ENTRIES_MAX)
        return too_many(r, "tensors");
    if (!scarlet__grow((void **)&t->tensor, &r->tensor_room, t->count, sizeof *t->tensor,
                       SCARLET__ENTRIES_MAX))
        return scarlet__fail_memory(r->err);
    scarlet__tensor *tensor = &t->tensor[t->count];
    *tensor = (scarlet__tensor){.name = name};

    if (!scarlet__json_expect(json, '{'))
        return bad_json(r);
    do {
        if (!scarlet__json_string(json, &key) || !scarlet__json_expect(json, ':'))
            return bad_json(r);
        unsigned field = strcmp(key, "dtype") == 0          ? DTYPE
                         : strcmp(key, "shape") == 0        ? SHAPE
                         : strcmp(key, "data_offsets") == 0 ? OFFSETS
                                                            : 0;
        if (!field || seen & field)
            return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: tensor %s: %s field \"%s\"",
                                 name_of(r), name, field ? "a second" : "unknown", key);
        seen |= field;
        if (!(field == DTYPE   ? scarlet__json_string(json, &type)
              : field == SHAPE ? read_shape(json, tensor)
                               : read_offsets(json, offsets)))
            return bad_json(r);
    } while (scarlet__json_take(json, ','));
    if (!scarlet__json_expect(json, '}'))
        return bad_json(r);
    if (seen != (DTYPE | SHAPE | OFFSETS))
        return bad_tensor(r, name, "dtype, shape or data_offsets is missing");
    if (!scarlet__dtype_named(type, &tensor->dtype))
        return scarlet__fail(r->err, SCARLET_ERROR_UNSUPPORTED,
                             "%s: tensor %s: element type %s is not supported", name_of(r), name,
                             type);
    if (!measure(tensor, &bytes))
        return bad_tensor(r, name, "its size overflows");
    if (offsets[0] > offsets[1] || offsets[1] - offsets[0] != (uint64_t)bytes) {
        char shape[96];
        scarlet__shape_text(tensor, shape, sizeof shape);
        return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT,
                             "%s: tensor %s: %s %s takes %llu bytes, but its place is %llu to %llu",
                             name_of(r), name, type, shape, (unsigned long long)bytes,
                             (unsigned long long)offsets[0], (unsigned long long)offsets[1]);
    }
    tensor->offset = offsets[0];
    t->count++;
    return SCARLET_OK;
}

static uint64_t end_of(const scarlet__tensor *tensor)
{
    return tensor->offset + tensor->count * scarlet__dtype_size(tensor->dtype);
}

static bool before(const void *items, uint32_t a, uint32_t b)
{
    const scarlet__tensor *x = (const scarlet__tensor *)items + a,
                          *y = (const scarlet__tensor *)items + b;
    return x->offset != y->offset ? x->offset < y->offset : end_of(x) < end_of(y);
}

/* Each tensor must begin where the one before ends, and the last end where the file ends. */
static scarlet_status place(reader *r)
{
    scarlet__tensors *t = r->tensors;
    uint32_t *order = scarlet__sorted(t->tensor, t->count, before);
    if (!order)
        return scarlet__fail_memory(r->err);
    scarlet_status status = SCARLET_OK;
    uint64_t at = 0, size = t->source->size - r->data;
    for (size_t i = 0; i < t->count && status == SCARLET_OK; i++) {
        scarlet__tensor *tensor = &t->tensor[order[i]];
        if (tensor->offset != at)
            status = scarlet__fail(
                r->err, SCARLET_ERROR_CORRUPT,
                "%s: tensor %s: begins at byte %llu of the data, the one before ends at %llu",
                name_of(r), tensor->name, (unsigned long long)tensor->offset,
                (unsigned long long)at);
        at = end_of(tensor);
    }
    scarlet__free(order);
    if (status == SCARLET_OK && at != size)
        status = scarlet__fail(r->err, SCARLET_ERROR_CORRUPT,
                               "%s: %sthe tensors take %llu bytes, the file has %llu for them",
                               name_of(r), at > size ? "cut short: " : "", (unsigned long long)at,
                               (unsigned long long)size);
    for (size_t i = 0; i < t->count; i++)
        t->tensor[i].offset += r->data;
    return status;
}

static const char *key_of(const void *items, uint32_t i)
{
    return ((char *const *)items)[i];
}

static scarlet_status check_metadata(reader *r)
{
    scarlet__names keys;
    bool indexed = scarlet__names_index(&keys, r->tensors->key, r->tensors->metadata_count, key_of);
    const char *twice = indexed ? scarlet__names_twice(&keys) : NULL;
    scarlet__names_free(&keys);
    if (!indexed)
        return scarlet__fail_memory(r->err);
    return twice ? scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: metadata %s occurs twice",
                                 name_of(r), twice)
                 : SCARLET_OK;
}

static scarlet_status read_entries(reader *r)
{
    char *name;
    if (!scarlet__json_expect(&r->json, '{'))
        return bad_json(r);
    if (!scarlet__json_take(&r->json, '}')) {
        do {
            if (!scarlet__json_string(&r->json, &name) || !scarlet__json_expect(&r->json, ':'))
                return bad_json(r);
            scarlet_status status =
                strcmp(name, "__metadata__") == 0 ? read_metadata(r) : read_tensor(r, name);
            if (status != SCARLET_OK)
                return status;
        } while (scarlet__json_take(&r->json, ','));
        if (!scarlet__json_expect(&r->json, '}'))
            return bad_json(r);
    }
    return scarlet__json_end(&r->json) ? SCARLET_OK : bad_json(r);
}

scarlet_status scarlet__safetensors_read(scarlet__tensors *tensors, scarlet_error *err)
{
    reader r = {.tensors = tensors, .err = err};
    scarlet_status status = read_header(&r);
    if (status == SCARLET_OK)
        status = read_entries(&r);
    if (status == SCARLET_OK)
        status = check_metadata(&r);
    if (status == SCARLET_OK)
        status = place(&r);
    return status;
}
