/* Making small files in memory and opening them, for the tests of this folder. */
#ifndef SCARLET_TESTS_FORMATS_FILES_H
#define SCARLET_TESTS_FORMATS_FILES_H

#include "common/memory.h"
#include "formats/open.h"
#include "test.h"

typedef struct {
    uint8_t data[4096];
    size_t size;
} file;

static inline void add(file *f, const void *data, size_t size)
{
    if (size > sizeof f->data - f->size)
        abort();
    memcpy(f->data + f->size, data, size);
    f->size += size;
}

static inline void add_number(file *f, uint64_t value, size_t size)
{
    add(f, &value, size);
}

static inline void add_text(file *f, const char *text)
{
    add(f, text, strlen(text));
}

/* A safetensors file: header text, then `bytes` bytes 0, 1, 2 ... */
static inline file safetensors(const char *header, size_t bytes)
{
    file f = {.size = 0};
    add_number(&f, strlen(header), 8);
    add_text(&f, header);
    for (size_t i = 0; i < bytes; i++)
        add_number(&f, i, 1);
    return f;
}

/* Opens an exact-size copy, so that a sanitizer sees any byte read beyond it; frees it at once.
 * Gives the message, or "" if the file is fine. */
static inline const char *open_message(const file *f, scarlet_status *status)
{
    static scarlet_error err;
    uint8_t *copy = malloc(f->size ? f->size : 1);
    if (!copy)
        abort();
    memcpy(copy, f->data, f->size);
    scarlet__source source;
    scarlet__tensors *t;
    scarlet__source_memory(copy, f->size, &source);
    err = (scarlet_error){0};
    *status = scarlet__tensors_open(&source, 1 << 30, &t, &err);
    CHECK((*status == SCARLET_OK) == (t != NULL));
    CHECK(err.status == *status);
    scarlet__tensors_free(t);
    free(copy);
    return err.message;
}

/* "corrupt: memory: ..." */
static inline const char *outcome(const file *f)
{
    static char text[300];
    scarlet_status status;
    const char *message = open_message(f, &status);
    snprintf(text, sizeof text, "%s: %s", scarlet_status_string(status), message);
    return text;
}

#endif
