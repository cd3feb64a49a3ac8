#include "lists.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/lines.h"

int64_t cut_label(char *text)
{
    enum { DIGITS_MAX = 9 };
    char *end = text + strlen(text), *digits = end;
    while (digits > text && isdigit((unsigned char)digits[-1]))
        digits--;
    char *name_end = digits;
    while (name_end > text && (name_end[-1] == ' ' || name_end[-1] == '\t'))
        name_end--;
    if (digits == end || end - digits > DIGITS_MAX || name_end == digits || name_end == text)
        return NO_LABEL;
    *name_end = '\0';
    return strtol(digits, NULL, 10);
}

typedef struct list {
    cli_inputs *inputs;
    const char *path;
    bool labels;
} list;

static void add_line(void *user, char *text, size_t number)
{
    const list *l = user;
    (void)number;
    int64_t label = l->labels ? cut_label(text) : NO_LABEL;
    const char *slash = strrchr(l->path, '/');
    char *path = *text == '/' || !slash
                     ? cli_format("%s", text)
                     : cli_format("%.*s%s", (int)(slash + 1 - l->path), l->path, text);
    cli_inputs_append(l->inputs, path, NULL, label);
    free(path);
}

void cli_inputs_add_list(cli_inputs *inputs, const char *path, bool labels)
{
    list l = {inputs, path, labels};
    read_lines(path, add_line, &l);
}
