/* The table of latencies as a file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/io.h"
#include "common/memory.h"
#include "formats/json.h"
#include "nas/search/latency.h"

#define FIRST_LINE "# scarlet-latency 1\n"
#define NAMES_LINE "layer,choice,nanoseconds\n"

enum { FILE_MAX = 262144 };
#define NANOS_MAX INT64_C(1000000000000000) /* of a term */

/* ---- writing ---- */

static void put_row(scarlet__text *text, const char *prefix, int64_t nanos)
{
    scarlet__text_put(text, prefix);
    scarlet__text_put_unsigned(text, (uint64_t)nanos);
    scarlet__text_put(text, "\n");
}

/* "3,e3k5se," */
static void row_prefix(const scarlet_space *space, int layer, int choice, char prefix[32])
{
    char item[SCARLET__CHOICE_SIZE];
    scarlet__choice_print(&space->layer[layer].choice[choice], item);
    snprintf(prefix, 32, "%d,%s,", layer, item);
}

static void put_table(scarlet__text *text, const scarlet_latency *l)
{
    scarlet__text_put(text, FIRST_LINE);
    for (const char *line = l->head; *line;) {
        const char *end = strchr(line, '\n');
        char *copy = scarlet__strndup(line, (size_t)(end - line) + 1);
        text->failed |= !copy;
        scarlet__text_put(text, "# ");
        scarlet__text_put(text, copy ? copy : "");
        scarlet__free(copy);
        line = end + 1;
    }
    scarlet__text_put(text, NAMES_LINE);
    put_row(text, "constant,,", l->constant);
    for (int i = 0; i < l->space->widths.count; i++)
        for (int k = 0; k < l->space->layer[i].count; k++) {
            char prefix[32];
            row_prefix(l->space, i, k, prefix);
            put_row(text, prefix, l->term[i][k]);
        }
}

scarlet_status scarlet_latency_write(const scarlet_latency *l, const char *path, scarlet_error *err)
{
    if (!l || !path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", l ? "path" : "latency");
    if (!l->fitted)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "latency: not fitted yet");
    scarlet__text text = {0};
    scarlet__output output;
    put_table(&text, l);
    scarlet_status status = text.failed ? scarlet__fail_memory(err) : SCARLET_OK;
    if (status == SCARLET_OK)
        status = scarlet__output_open(path, &output, err);
    if (status == SCARLET_OK) {
        status = scarlet__output_write(&output, text.data, text.length, err);
        if (status == SCARLET_OK)
            status = scarlet__output_commit(&output, err);
        scarlet__output_abandon(&output);
    }
    scarlet__free(text.data);
    return status;
}

/* ---- reading ---- */

/* Takes `expected` if it comes next. */
static bool take(const char **p, const char *expected)
{
    size_t n = strlen(expected);
    if (strncmp(*p, expected, n) != 0)
        return false;
    *p += n;
    return true;
}

/* A number and the end of its line. */
static bool take_nanos(const char **p, int64_t *out)
{
    int64_t value = 0;
    int digits = 0;
    for (; **p >= '0' && **p <= '9' && digits < 16; ++*p, digits++)
        value = value * 10 + (**p - '0');
    *out = value;
    return digits > 0 && value <= NANOS_MAX && take(p, "\n");
}

/* Lines "# key value": all to the head, those of the space to its text. */
static scarlet_status read_head(scarlet_latency *l, const char **p, scarlet_error *err)
{
    size_t room = strlen(*p) + 1;
    char *space = scarlet__calloc(room, 1);
    l->head = scarlet__calloc(room, 1);
    scarlet_status status = space && l->head ? SCARLET_OK : scarlet__fail_memory(err);
    size_t used = 0, space_used = 0;
    while (status == SCARLET_OK && take(p, "# ")) {
        static const char *const of_space[] = {"space ", "choices ", "input_size ", "classes "};
        size_t length = strcspn(*p, "\n");
        length += (*p)[length] == '\n';
        memcpy(l->head + used, *p, length);
        used += length;
        for (size_t i = 0; i < sizeof of_space / sizeof *of_space; i++)
            if (strncmp(*p, of_space[i], strlen(of_space[i])) == 0) {
                memcpy(space + space_used, *p, length);
                space_used += length;
            }
        *p += length;
    }
    if (status == SCARLET_OK)
        status = scarlet_space_parse(space, &l->space, err);
    scarlet__free(space);
    return status;
}

static bool read_rows(scarlet_latency *l, const char *p)
{
    if (!take(&p, NAMES_LINE) || !take(&p, "constant,,") || !take_nanos(&p, &l->constant))
        return false;
    for (int i = 0; i < l->space->widths.count; i++)
        for (int k = 0; k < l->space->layer[i].count; k++) {
            char prefix[32];
            row_prefix(l->space, i, k, prefix);
            if (!take(&p, prefix) || !take_nanos(&p, &l->term[i][k]))
                return false;
        }
    return *p == '\0';
}

static scarlet_status read_table(scarlet_latency *l, const char *text, scarlet_error *err)
{
    if (!take(&text, FIRST_LINE))
        return scarlet__fail(err, SCARLET_ERROR_FORMAT, "not a table of latencies");
    scarlet_status status = read_head(l, &text, err);
    if (status != SCARLET_OK)
        return status;
    l->fitted = read_rows(l, text);
    return l->fitted ? SCARLET_OK
                     : scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                     "the rows are not those of the table's space");
}

static scarlet_status read_text(const char *path, char **text, scarlet_error *err)
{
    scarlet__source source;
    uint8_t *data = NULL;
    size_t size;
    *text = NULL;
    scarlet_status status = scarlet__source_open(path, &source, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet__source_read_all(&source, FILE_MAX, &data, &size, err);
    scarlet__source_close(&source);
    if (status == SCARLET_OK && !(*text = scarlet__strndup((const char *)data, size)))
        status = scarlet__fail_memory(err);
    scarlet__free(data);
    return status;
}

scarlet_status scarlet_latency_load(const char *path, scarlet_latency **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "path is NULL");
    char *text;
    scarlet_status status = read_text(path, &text, err);
    if (status != SCARLET_OK)
        return status;
    scarlet_latency *l = scarlet__calloc(1, sizeof *l);
    status = l ? read_table(l, text, err) : scarlet__fail_memory(err);
    scarlet__free(text);
    if (status == SCARLET_OK) {
        *out = l;
        return SCARLET_OK;
    }
    scarlet__error_prefix(err, path);
    scarlet_latency_free(l);
    return status;
}
