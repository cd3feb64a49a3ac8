#include "formats/safetensors_write.h"

#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/json.h"
#include "formats/sort.h"

enum { HEADER_MAX = 100000000 };

typedef struct {
    const char *target; /* for messages */
    const scarlet__contents *contents;
    uint32_t *order; /* of the entries in the file */
    scarlet__output *output;
    scarlet_error *err;
} writer;

/* Larger elements first, so that all are aligned in the file. */
static bool before(const void *items, uint32_t a, uint32_t b)
{
    const scarlet__entry *x = (const scarlet__entry *)items + a,
                         *y = (const scarlet__entry *)items + b;
    size_t x_size = scarlet__dtype_size(x->dtype), y_size = scarlet__dtype_size(y->dtype);
    return x_size != y_size ? x_size > y_size : strcmp(x->name, y->name) < 0;
}

/* Number of elements; false if its bytes pass 2^64. */
static bool measure(const scarlet__entry *entry, uint64_t *count)
{
    uint64_t bytes = scarlet__dtype_size(entry->dtype);
    for (int i = 0; i < entry->rank; i++)
        if (__builtin_mul_overflow(bytes, (uint64_t)entry->shape[i], &bytes))
            return false;
    *count = bytes / scarlet__dtype_size(entry->dtype);
    return true;
}

/* ---- header ---- */

static void put_numbers(scarlet__text *text, const uint64_t *number, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        scarlet__text_put(text, i ? "," : "[");
        scarlet__text_put_unsigned(text, number[i]);
    }
    scarlet__text_put(text, count ? "]" : "[]");
}

static void put_metadata(scarlet__text *text, const scarlet__contents *c)
{
    scarlet__text_put(text, "\"__metadata__\":{");
    for (size_t i = 0; i < c->metadata_count; i++) {
        scarlet__text_put(text, i ? "," : "");
        scarlet__text_put_string(text, c->key[i]);
        scarlet__text_put(text, ":");
        scarlet__text_put_string(text, c->value[i]);
    }
    scarlet__text_put(text, "}");
}

/* False if the offsets pass 2^64. */
static bool put_entries(const writer *w, scarlet__text *text)
{
    uint64_t place[2] = {0, 0}, count;
    for (size_t i = 0; i < w->contents->count; i++) {
        const scarlet__entry *entry = &w->contents->entry[w->order[i]];
        uint64_t shape[SCARLET__RANK_MAX];
        for (int d = 0; d < entry->rank; d++)
            shape[d] = (uint64_t)entry->shape[d];
        if (!measure(entry, &count) ||
            __builtin_add_overflow(place[0], count * scarlet__dtype_size(entry->dtype), &place[1]))
            return false;
        scarlet__text_put(text, i || w->contents->metadata_count ? "," : "");
        scarlet__text_put_string(text, entry->name);
        scarlet__text_put(text, ":{\"dtype\":");
        scarlet__text_put_string(text, scarlet__dtype_name(entry->dtype));
        scarlet__text_put(text, ",\"shape\":");
        put_numbers(text, shape, (size_t)entry->rank);
        scarlet__text_put(text, ",\"data_offsets\":");
        put_numbers(text, place, 2);
        scarlet__text_put(text, "}");
        place[0] = place[1];
    }
    return true;
}

static scarlet_status write_header(writer *w)
{
    scarlet__text text = {0};
    scarlet__text_put(&text, "{");
    if (w->contents->metadata_count)
        put_metadata(&text, w->contents);
    bool fits = put_entries(w, &text);
    scarlet__text_put(&text, "}");
    while (text.length % 8 && !text.failed)
        scarlet__text_put(&text, " ");
    uint64_t length = text.length;
    scarlet_status status = SCARLET_OK;
    if (text.failed)
        status = scarlet__fail_memory(w->err);
    else if (!fits || length > HEADER_MAX || w->contents->count > SCARLET__ENTRIES_MAX ||
             w->contents->metadata_count > SCARLET__ENTRIES_MAX)
        status = scarlet__fail(w->err, SCARLET_ERROR_LIMIT,
                               "%s: more than a safetensors file can hold", w->target);
    if (status == SCARLET_OK)
        status = scarlet__output_write(w->output, &length, sizeof length, w->err);
    if (status == SCARLET_OK)
        status = scarlet__output_write(w->output, text.data, text.length, w->err);
    scarlet__free(text.data);
    return status;
}

static scarlet_status write_elements(writer *w, size_t index)
{
    const scarlet__contents *c = w->contents;
    const size_t size = scarlet__dtype_size(c->entry[index].dtype), most = SCARLET__PIECE / size;
    scarlet__piece piece;
    uint64_t count = 0;
    scarlet_status status = SCARLET_OK;
    measure(&c->entry[index], &count); /* it fits: the header was written */
    for (uint64_t at = 0; at < count && status == SCARLET_OK;) {
        size_t n = count - at < most ? (size_t)(count - at) : most;
        status = c->elements(c->user, index, at, n, &piece, w->err);
        if (status == SCARLET_OK)
            status = scarlet__output_write(w->output, &piece, n * size, w->err);
        at += n;
    }
    return status;
}

scarlet_status scarlet__safetensors_put(scarlet__output *output, const char *name,
                                        const scarlet__contents *contents, scarlet_error *err)
{
    writer w = {.target = name, .contents = contents, .output = output, .err = err};
    w.order = scarlet__sorted(contents->entry, contents->count, before);
    scarlet_status status = w.order ? write_header(&w) : scarlet__fail_memory(err);
    for (size_t i = 0; i < contents->count && status == SCARLET_OK; i++)
        status = write_elements(&w, w.order[i]);
    scarlet__free(w.order);
    return status;
}

scarlet_status scarlet__safetensors_write(const char *target, const scarlet__contents *contents,
                                          scarlet_error *err)
{
    scarlet__output output;
    scarlet_status status = scarlet__output_open(target, &output, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet__safetensors_put(&output, target, contents, err);
    if (status == SCARLET_OK)
        return scarlet__output_commit(&output, err);
    scarlet__output_abandon(&output);
    return status;
}
