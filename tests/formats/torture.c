/*
 * torture FILE: a valid checkpoint is cut at every length, changed at every byte, and opened and
 * read with each allocation failing in turn. Nothing may crash; every cut must be refused; failing
 * allocations must give MEMORY and leak nothing (that needs a sanitizer to be seen).
 */
#include "common/memory.h"
#include "formats/open.h"
#include "test.h"

static size_t until_failure;

static bool countdown(size_t size)
{
    (void)size;
    return until_failure == SIZE_MAX || until_failure-- > 0;
}

/* Opens an exact-size copy and reads every tensor whose values are few. */
static scarlet_status load(const uint8_t *data, size_t size)
{
    static float value[4096];
    scarlet_error err = {0};
    scarlet__source source;
    scarlet__tensors *t;
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    scarlet__source_memory(copy, size, &source);
    scarlet_status status = scarlet__tensors_open(&source, 1 << 30, &t, &err);
    for (size_t i = 0; status == SCARLET_OK && i < t->count; i++)
        if (t->tensor[i].count <= sizeof value / sizeof *value)
            status = scarlet__tensor_read_f32(t, &t->tensor[i], 0, (size_t)t->tensor[i].count,
                                              value, &err);
    CHECK(err.status == status);
    CHECK(status == SCARLET_OK || status == SCARLET_ERROR_MEMORY ||
          strncmp(err.message, "data in memory: ", 16) == 0);
    scarlet__tensors_free(t);
    free(copy);
    return status;
}

static void cut(const uint8_t *data, size_t size)
{
    for (size_t length = 0; length < size; length++) {
        scarlet_status status = load(data, length);
        if (!CHECK(status == SCARLET_ERROR_CORRUPT || status == SCARLET_ERROR_FORMAT))
            fprintf(stderr, "    cut at %zu: %s\n", length, scarlet_status_string(status));
    }
}

static void change(uint8_t *data, size_t size)
{
    static const uint8_t flips[] = {0x01, 0x80, 0xFF};
    for (size_t i = 0; i < size; i++) {
        for (size_t f = 0; f < sizeof flips; f++) {
            data[i] ^= flips[f];
            scarlet_status status = load(data, size);
            CHECK(status != SCARLET_ERROR_INTERNAL && status != SCARLET_ERROR_MEMORY);
            data[i] ^= flips[f];
        }
    }
}

static void starve(const uint8_t *data, size_t size)
{
    scarlet__alloc_gate = countdown;
    size_t n = 0;
    for (;; n++) {
        until_failure = n;
        scarlet_status status = load(data, size);
        if (status == SCARLET_OK)
            break;
        CHECK(status == SCARLET_ERROR_MEMORY);
    }
    scarlet__alloc_gate = NULL;
    CHECK(n > 3);
}

int main(int argc, char **argv)
{
    scarlet_error err = {0};
    scarlet__source source;
    uint8_t *data;
    size_t size;
    if (argc != 2)
        return 2;
    if (scarlet__source_open(argv[1], &source, &err) != SCARLET_OK ||
        scarlet__source_read_all(&source, 1 << 20, &data, &size, &err) != SCARLET_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    CHECK(load(data, size) == SCARLET_OK);
    cut(data, size);
    change(data, size);
    starve(data, size);
    scarlet__free(data);
    scarlet__source_close(&source);
    return test_result();
}
