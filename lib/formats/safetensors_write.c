#include "formats/safetensors_write.h"

#include <math.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/json.h"
#include "formats/sort.h"

enum { PIECE = 4096, HEADER_MAX = 100000000 };

/* A tensor to be written. */
typedef struct {
    const scarlet__tensor *tensor;
    scarlet__dtype dtype;
} item;

typedef struct {
    const char *target; /* for messages */
    const scarlet__tensors *tensors;
    item *items;
    size_t count;
    uint32_t *order;
    scarlet__output output;
    scarlet_error *err;
} writer;

/* Larger elements first, so that all are aligned in the file. */
static bool before(const void *items, uint32_t a, uint32_t b)
{
    const item *x = (const item *)items + a, *y = (const item *)items + b;
    size_t x_size = scarlet__dtype_size(x->dtype), y_size = scarlet__dtype_size(y->dtype);
    return x_size != y_size ? x_size > y_size : strcmp(x->tensor->name, y->tensor->name) < 0;
}

static scarlet_status choose_items(writer *w, scarlet__dtype_choice choose, const void *user)
{
    w->items = scarlet__alloc(w->tensors->count, sizeof *w->items);
    if (!w->items)
        return scarlet__fail_memory(w->err);
    for (size_t i = 0; i < w->tensors->count; i++) {
        item it = {.tensor = &w->tensors->tensor[i]};
        if (choose(user, it.tensor, &it.dtype))
            w->items[w->count++] = it;
    }
    w->order = scarlet__sorted(w->items, w->count, before);
    return w->order ? SCARLET_OK : scarlet__fail_memory(w->err);
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

static void put_metadata(scarlet__text *text, const char *const *key, const char *const *value,
                         size_t count)
{
    scarlet__text_put(text, "\"__metadata__\":{");
    for (size_t i = 0; i < count; i++) {
        scarlet__text_put(text, i ? "," : "");
        scarlet__text_put_string(text, key[i]);
        scarlet__text_put(text, ":");
        scarlet__text_put_string(text, value[i]);
    }
    scarlet__text_put(text, "}");
}

/* Gives false if the offsets pass 2^64. */
static bool put_tensors(const writer *w, scarlet__text *text, bool first)
{
    uint64_t place[2] = {0, 0}, bytes;
    for (size_t i = 0; i < w->count; i++) {
        const item *it = &w->items[w->order[i]];
        uint64_t shape[SCARLET__RANK_MAX];
        for (int d = 0; d < it->tensor->rank; d++)
            shape[d] = (uint64_t)it->tensor->shape[d];
        if (__builtin_mul_overflow(it->tensor->count, scarlet__dtype_size(it->dtype), &bytes) ||
            __builtin_add_overflow(place[0], bytes, &place[1]))
            return false;
        scarlet__text_put(text, first && i == 0 ? "" : ",");
        scarlet__text_put_string(text, it->tensor->name);
        scarlet__text_put(text, ":{\"dtype\":");
        scarlet__text_put_string(text, scarlet__dtype_name(it->dtype));
        scarlet__text_put(text, ",\"shape\":");
        put_numbers(text, shape, (size_t)it->tensor->rank);
        scarlet__text_put(text, ",\"data_offsets\":");
        put_numbers(text, place, 2);
        scarlet__text_put(text, "}");
        place[0] = place[1];
    }
    return true;
}

static scarlet_status write_header(writer *w, const char *const *key, const char *const *value,
                                   size_t count)
{
    scarlet__text text = {0};
    scarlet__text_put(&text, "{");
    if (count)
        put_metadata(&text, key, value, count);
    bool fits = put_tensors(w, &text, count == 0);
    scarlet__text_put(&text, "}");
    while (text.length % 8 && !text.failed)
        scarlet__text_put(&text, " ");
    uint64_t length = text.length;
    scarlet_status status = SCARLET_OK;
    if (text.failed)
        status = scarlet__fail_memory(w->err);
    else if (!fits || length > HEADER_MAX)
        status = scarlet__fail(w->err, SCARLET_ERROR_LIMIT,
                               "%s: more than a safetensors file can hold", w->target);
    if (status == SCARLET_OK)
        status = scarlet__output_write(&w->output, &length, sizeof length, w->err);
    if (status == SCARLET_OK)
        status = scarlet__output_write(&w->output, text.data, text.length, w->err);
    scarlet__free(text.data);
    return status;
}

/* ---- values ---- */

static scarlet_status unfit(const writer *w, const item *it, uint64_t element)
{
    return scarlet__fail(w->err, SCARLET_ERROR_UNSUPPORTED,
                         "%s: tensor %s: the value of element %llu does not fit %s", w->target,
                         it->tensor->name, (unsigned long long)element,
                         scarlet__dtype_name(it->dtype));
}

/* F32 and F16 */
static scarlet_status write_floats(writer *w, const item *it, uint64_t first, size_t count)
{
    float value[PIECE];
    uint16_t half[PIECE];
    scarlet_status status =
        scarlet__tensor_read_f32(w->tensors, it->tensor, first, count, value, w->err);
    if (status != SCARLET_OK)
        return status;
    if (it->dtype == SCARLET__F32)
        return scarlet__output_write(&w->output, value, count * sizeof *value, w->err);
    for (size_t i = 0; i < count; i++) {
        half[i] = scarlet__f32_to_f16(value[i]);
        if (isinf(scarlet__f16_to_f32(half[i])) && !isinf(value[i]))
            return unfit(w, it, first + i);
    }
    return scarlet__output_write(&w->output, half, count * sizeof *half, w->err);
}

/* I64: counters */
static scarlet_status write_integers(writer *w, const item *it, uint64_t first, size_t count)
{
    double value[PIECE];
    int64_t integer[PIECE];
    scarlet_status status =
        scarlet__tensor_read_f64(w->tensors, it->tensor, first, count, value, w->err);
    for (size_t i = 0; status == SCARLET_OK && i < count; i++) {
        if (!(fabs(value[i]) <= 9007199254740992.0)) /* 2^53; beyond, a double is not exact */
            return unfit(w, it, first + i);
        integer[i] = (int64_t)value[i];
    }
    return status == SCARLET_OK
               ? scarlet__output_write(&w->output, integer, count * sizeof *integer, w->err)
               : status;
}

static scarlet_status write_tensor(writer *w, const item *it)
{
    scarlet_status status = SCARLET_OK;
    for (uint64_t at = 0; at < it->tensor->count && status == SCARLET_OK;) {
        uint64_t left = it->tensor->count - at;
        size_t n = left < PIECE ? (size_t)left : PIECE;
        status =
            it->dtype == SCARLET__I64 ? write_integers(w, it, at, n) : write_floats(w, it, at, n);
        at += n;
    }
    return status;
}

scarlet_status scarlet__safetensors_write(const char *target, const scarlet__tensors *tensors,
                                          scarlet__dtype_choice choose, const void *user,
                                          const char *const *key, const char *const *value,
                                          size_t count, scarlet_error *err)
{
    writer w = {.target = target, .tensors = tensors, .err = err};
    scarlet_status status = choose_items(&w, choose, user);
    if (status == SCARLET_OK)
        status = scarlet__output_open(target, &w.output, err);
    if (status == SCARLET_OK) {
        status = write_header(&w, key, value, count);
        for (size_t i = 0; i < w.count && status == SCARLET_OK; i++)
            status = write_tensor(&w, &w.items[w.order[i]]);
        if (status == SCARLET_OK)
            status = scarlet__output_commit(&w.output, err);
        else
            scarlet__output_abandon(&w.output);
    }
    scarlet__free(w.items);
    scarlet__free(w.order);
    return status;
}
