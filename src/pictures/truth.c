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
#include "inputs.h"
#include "lists.h"

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
} reading;

static void add_line(void *user, char *text, size_t number)
{
    const reading *r = user;
    truth *t = r->truth;
    char *alone = cli_format("x %s", text); /* a class without a name gets one */
    int64_t label = cut_label(alone);
    if (label != NO_LABEL && strcmp(alone, "x") == 0 && !t->names) {
        t->by_line = cli_grow(t->by_line, t->lines, sizeof *t->by_line);
        t->by_line[t->lines++] = label;
    } else if ((label = cut_label(text)) != NO_LABEL && !t->lines) {
        t->named = cli_grow(t->named, t->names, sizeof *t->named);
        t->named[t->names++] = (struct named){cli_format("%s", text), label};
    } else {
        cli_error(
            "%s: line %zu is neither \"class\" nor \"name class\" as the lines before it: "
            "\"%s\"",
            r->path, number + 1, text);
        exit(USAGE);
    }
    free(alone);
}

void truth_open(truth *t, const char *file)
{
    char *own = file ? NULL : data_file("ilsvrc2012-val-labels.txt");
    *t = (truth){.positions = file != NULL};
    if (file || access(own, R_OK) == 0) {
        reading r = {t, file ? file : own};
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
        const struct named *found =
            t->names ? bsearch(&key, t->named, t->names, sizeof key, by_name) : NULL;
        if (found)
            return found->label;
        name += strcspn(name, "/:");
        if (!*name++)
            return NO_LABEL;
    }
}

int64_t truth_of(const truth *t, const char *name, size_t index)
{
    if (t->names)
        return find(t, name);
    size_t number = validation_number(name);
    size_t line = number ? number - 1 : index;
    return line < t->lines && (number || t->positions) ? t->by_line[line] : NO_LABEL;
}
