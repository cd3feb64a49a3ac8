#include "truth.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/installation.h"
#include "common/lines.h"
#include "common/message.h"
#include "common/status.h"
#include "common/text.h"
#include "inputs.h"
#include "lists.h"
#include "table.h"

size_t validation_number(const char *path)
{
    enum { DIGITS = 8 };
    static const char head[] = "ILSVRC2012_val_";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *colon = strrchr(name, ':'); /* ARCHIVE:MEMBER */
    name = colon ? colon + 1 : name;
    if (strncmp(name, head, sizeof head - 1) != 0)
        return 0;
    name += sizeof head - 1;
    size_t number = 0, digits = 0;
    for (; isdigit((unsigned char)*name) && digits < DIGITS; digits++)
        number = 10 * number + (size_t)(*name++ - '0');
    return digits == DIGITS && *name == '.' ? number : 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

typedef struct reading {
    truth *truth;
    const char *path;
    const class_table *classes;
    table table;
} reading;

static void add_name(truth *t, const char *name, int64_t label)
{
    t->named = cli_grow(t->named, t->names, sizeof *t->named);
    t->named[t->names++] = (struct named){cli_format("%s", name), label};
}

static void add_class(truth *t, int64_t label)
{
    t->by_line = cli_grow(t->by_line, t->lines, sizeof *t->by_line);
    t->by_line[t->lines++] = label;
}

static void add_line(void *user, char *text, size_t number)
{
    reading *r = user;
    truth *t = r->truth;
    const char *name = NULL;
    bool named = false;
    table_row row;
    char *whole = cli_format("%s", text);
    int64_t label = NO_CLASS;
    cut_blanks(text);
    table_line kind = table_read(&r->table, text, &row);
    if (kind == TABLE_ROW && row.label) {
        label = class_of_field(r->classes, row.label);
        name = row.name;
        named = name != NULL;
    } else if (kind == TABLE_NONE && (label = class_of_word(r->classes, text)) < 0 &&
               (label = cut_class(text, r->classes)) >= 0) {
        name = text;
        named = true;
    }
    if (label >= 0 && named && !t->lines) {
        add_name(t, name, label);
    } else if (label >= 0 && !named && !t->names) {
        add_class(t, label);
    } else if (*text && kind != TABLE_HEADER) {
        cli_error(
            "%s: line %zu is neither \"class\" nor \"name class\" as the lines before it: "
            "\"%s\"",
            r->path, number + 1, whole);
        exit(USAGE);
    }
    free(whole);
}

void truth_open(truth *t, const char *file, const class_table *known)
{
    static const class_table numbers = {0};
    char *own = file ? NULL : data_file("ilsvrc2012-val-labels.txt");
    *t = (truth){.positions = file != NULL};
    if (file || access(own, R_OK) == 0) {
        reading r = {t, file ? file : own, known ? known : &numbers, {0}};
        r.table.csv = file && ends_with_any_case(file, ".csv");
        read_lines(r.path, add_line, &r);
    }
    if (t->names)
        qsort(t->named, t->names, sizeof *t->named, by_name);
    free(own);
}

void truth_close(truth *t)
{
    for (size_t i = 0; i < t->names; i++)
        free(t->named[i].name);
    free(t->named);
    free(t->by_line);
}

/* Label of a name, or of what follows one of its slashes or colons, the longest first. */
static int64_t find(const truth *t, const char *name)
{
    for (;;) {
        struct named key = {.name = (char *)(uintptr_t)name};
        const struct named *found = bsearch(&key, t->named, t->names, sizeof key, by_name);
        if (found)
            return found->label;
        name += strcspn(name, "/:");
        if (!*name++)
            return NO_LABEL;
    }
}

/* As find; tables may name pictures without their endings. */
static int64_t find_with_or_without_ending(const truth *t, const char *name)
{
    int64_t label = find(t, name);
    const char *dot = strrchr(name, '.');
    if (label != NO_LABEL || !dot || strchr(dot, '/'))
        return label;
    char *stem = cli_format("%.*s", (int)(dot - name), name);
    label = find(t, stem);
    free(stem);
    return label;
}

int64_t truth_of(const truth *t, const char *name, size_t index)
{
    if (t->names)
        return find_with_or_without_ending(t, name);
    size_t number = validation_number(name);
    size_t line = number ? number - 1 : index;
    return line < t->lines && (number || t->positions) ? t->by_line[line] : NO_LABEL;
}
