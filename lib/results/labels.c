#include <string.h>

#include "common/error.h"
#include "common/host.h"
#include "common/io.h"
#include "common/memory.h"
#include "common/utf8.h"

enum { LINES_MAX = 1000000, BYTES_MAX = 256 << 20 };

struct scarlet_labels {
    size_t count;
    const char *const *names; /* own_names, or the compiled-in ones */
    char *text; /* the bytes of a file, which own_names point into; NULL if compiled in */
    const char **own_names;
};

static const char *const imagenet_1k[] = {
#include "imagenet-1k.inc"
};

/* One line, NUL-terminated: the name in it. NULL with *why if there is none. */
static const char *line_name(const char *line, const char **why)
{
    const char *name = line;
    size_t tabs = 0;
    for (const char *p = line; *p; p++) {
        if (*p == '\t') {
            name = p + 1;
            tabs++;
        } else if ((unsigned char)*p < 0x20 || *p == 0x7F) {
            *why = "holds a control character";
            return NULL;
        }
    }
    if (tabs > 1)
        *why = "has more than one tab; expected a name, or \"wnid<TAB>name\"";
    else if (!*name)
        *why = tabs ? "has no name after its tab" : "is empty";
    else
        return name;
    return NULL;
}

/* Splits labels->text, `size` bytes with a NUL after them, into names. */
static scarlet_status split(scarlet_labels *labels, size_t size, const char *path,
                            scarlet_error *err)
{
    size_t bad = scarlet__utf8_check(labels->text, size);
    const char *zero = memchr(labels->text, '\0', size);
    if (zero && (size_t)(zero - labels->text) < bad)
        bad = (size_t)(zero - labels->text);
    if (bad < size)
        return scarlet__fail(
            err, SCARLET_ERROR_FORMAT,
            "%s: not a UTF-8 text: byte %zu is 0x%02x; expected a class name a line", path, bad,
            (unsigned char)labels->text[bad]);
    char *line = labels->text, *end = labels->text + size;
    if (size >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) /* the byte-order mark of Windows */
        line += 3;
    if (line == end)
        return scarlet__fail(err, SCARLET_ERROR_FORMAT, "%s: empty; expected a class name a line",
                             path);
    size_t lines = end[-1] != '\n';
    for (const char *p = line; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines++;
    if (lines > LINES_MAX)
        return scarlet__fail(err, SCARLET_ERROR_LIMIT, "%s: %zu lines, at most %d are read", path,
                             lines, LINES_MAX);
    labels->own_names = scarlet__alloc(lines, sizeof *labels->own_names);
    if (!labels->own_names)
        return scarlet__fail_memory(err);
    while (labels->count < lines) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        char *next = stop ? stop + 1 : end;
        if (!stop)
            stop = end;
        while (stop > line && strchr(" \r", stop[-1]))
            stop--;
        *stop = '\0';
        const char *why = NULL;
        labels->own_names[labels->count++] = line_name(line, &why);
        if (!labels->own_names[labels->count - 1])
            return scarlet__fail(err, SCARLET_ERROR_FORMAT, "%s: line %zu %s", path, labels->count,
                                 why);
        line = next;
    }
    labels->names = labels->own_names;
    return SCARLET_OK;
}

/* A file's bytes with a NUL after them. */
static scarlet_status read_text(const char *path, char **text, size_t *size, scarlet_error *err)
{
    scarlet__source source;
    scarlet_status status = scarlet__source_open(path, &source, err);
    if (status != SCARLET_OK)
        return status;
    uint8_t *bytes;
    status = scarlet__source_read_all(&source, BYTES_MAX, &bytes, size, err);
    scarlet__source_close(&source);
    if (status != SCARLET_OK)
        return status;
    *text = scarlet__realloc(bytes, *size + 1, 1);
    if (!*text) {
        scarlet__free(bytes);
        return scarlet__fail_memory(err);
    }
    (*text)[*size] = '\0';
    return SCARLET_OK;
}

scarlet_status scarlet_labels_load(const char *path, scarlet_labels **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "path is NULL");
    scarlet_labels *labels = scarlet__calloc(1, sizeof *labels);
    if (!labels)
        return scarlet__fail_memory(err);
    size_t size;
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = read_text(path, &labels->text, &size, err);
    if (status == SCARLET_OK)
        status = split(labels, size, path, err);
    scarlet__host_leave(&host);
    if (status != SCARLET_OK) {
        scarlet_labels_free(labels);
        return status;
    }
    *out = labels;
    return SCARLET_OK;
}

scarlet_status scarlet_labels_builtin(const char *name, scarlet_labels **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!name)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "name is NULL");
    if (strcmp(name, "imagenet-1k") != 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "no compiled-in labels \"%s\"; there is \"imagenet-1k\"", name);
    scarlet_labels *labels = scarlet__calloc(1, sizeof *labels);
    if (!labels)
        return scarlet__fail_memory(err);
    labels->names = imagenet_1k;
    labels->count = sizeof imagenet_1k / sizeof *imagenet_1k;
    *out = labels;
    return SCARLET_OK;
}

void scarlet_labels_free(scarlet_labels *labels)
{
    if (!labels)
        return;
    scarlet__free(labels->own_names);
    scarlet__free(labels->text);
    scarlet__free(labels);
}

const char *scarlet_labels_get(const scarlet_labels *labels, int32_t class_id)
{
    if (!labels || class_id < 0 || (size_t)class_id >= labels->count)
        return NULL;
    return labels->names[class_id];
}

size_t scarlet_labels_count(const scarlet_labels *labels)
{
    return labels ? labels->count : 0;
}
