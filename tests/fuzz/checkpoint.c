/* A whole checkpoint of any kind: its directory, then the last values of each tensor. Once more
 * with an allocation that fails. */
#include <string.h>

#include "common/memory.h"
#include "formats/json.h"
#include "formats/open.h"
#include "fuzz.h"

enum { MAX_BYTES = 1 << 24, ALLOCATIONS = 32, VALUES = 4096 };

static void read_values(const scarlet__tensors *tensors, const scarlet__tensor *tensor)
{
    static double wide[VALUES];
    static float narrow[VALUES];
    size_t count = tensor->count < VALUES ? (size_t)tensor->count : VALUES;
    uint64_t first = tensor->count - count;
    /* Memory cannot shrink: what was opened can be read. */
    MUST(scarlet__tensors_find(tensors, tensor->name) == tensor);
    MUST(scarlet__tensor_read_f64(tensors, tensor, first, count, wide, NULL) == SCARLET_OK);
    MUST(scarlet__tensor_read_f32(tensors, tensor, first, count, narrow, NULL) == SCARLET_OK);
    for (size_t i = 0; i < count; i++) {
        float again = scarlet__f16_to_f32(scarlet__f32_to_f16(narrow[i]));
        MUST(narrow[i] == (float)wide[i] || narrow[i] != narrow[i]);
        if (tensor->dtype == SCARLET__F16)
            MUST(again == narrow[i] || again != again);
    }
    scarlet_error err;
    char shape[96];
    scarlet__shape_text(tensor, shape, sizeof shape);
    MUST(scarlet__tensor_read_f64(tensors, tensor, first, count + 1, wide, &err) != SCARLET_OK);
}

/* ["value","key",12] */
static void write_json(scarlet__text *text, const char *value, const char *key)
{
    scarlet__text_put(text, "[");
    scarlet__text_put_string(text, value);
    scarlet__text_put(text, ",");
    scarlet__text_put_string(text, key);
    scarlet__text_put(text, "]");
    scarlet__text_put_unsigned(text, strlen(key));
}

/* Text written as JSON is read as the same text; labels are such texts in a text. */
static void read_metadata(const scarlet__tensors *tensors, size_t i)
{
    const char *value = tensors->value[i], *key = tensors->key[i], *problem;
    size_t count;
    uint64_t length;
    MUST(scarlet__tensors_metadata(tensors, key) == value);
    scarlet__free(scarlet__json_strings(value, &count, &problem));
    scarlet__text text = {0}, starved = {0};
    write_json(&text, value, key);
    MUST(!text.failed);
    char *end = strrchr(text.data, ']') + 1;
    scarlet__json number = {.text = end, .length = strlen(end)};
    MUST(scarlet__json_unsigned(&number, &length) && length == strlen(key));
    *end = '\0';
    char **strings = scarlet__json_strings(text.data, &count, &problem);
    MUST(strings && count == 2 && strcmp(strings[0], value) == 0 && strcmp(strings[1], key) == 0);
    scarlet__free(strings);
    fuzz_starve((unsigned)(i % 3) + 1);
    write_json(&starved, value, key);
    MUST(starved.failed || i % 3);
    fuzz_starve(1);
    MUST(!scarlet__json_strings(text.data, &count, &problem) && !problem);
    fuzz_starve(0);
    scarlet__free(starved.data);
    scarlet__free(text.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scarlet_error err;
    scarlet__source source;
    scarlet__tensors *tensors;
    scarlet__source_memory(data, size, &source);
    scarlet_status status = scarlet__tensors_open(&source, MAX_BYTES, &tensors, &err);
    if (status == SCARLET_OK) {
        for (size_t i = 0; i < tensors->count; i++)
            read_values(tensors, &tensors->tensor[i]);
        for (size_t i = 0; i < tensors->metadata_count; i++)
            read_metadata(tensors, i);
        scarlet__tensors_free(tensors);
    }
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = scarlet__tensors_open(&source, MAX_BYTES, &tensors, &err);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    if (starved == SCARLET_OK)
        scarlet__tensors_free(tensors);
    fuzz_starve(0);
    return 0;
}
