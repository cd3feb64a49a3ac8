#include "lists.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/lines.h"
#include "common/message.h"
#include "common/text.h"
#include "table.h"

/* ---- classes in lines ---- */

static int64_t cut_at(char *text, char *separator, int64_t class_id)
{
    *separator = '\0';
    cut_blanks(text);
    return class_id;
}

int64_t cut_class(char *text, const class_table *known)
{
    char *tab = strrchr(text, '\t'), *blank = strrchr(text, ' ');
    char *last = tab && (!blank || tab > blank) ? tab : blank;
    if (last && last > text + strspn(text, " \t") && class_number(last + 1) != NO_CLASS)
        return cut_at(text, last, class_number(last + 1));
    for (char *s = text + 1; known && *text && *s; s++) { /* the longest name first */
        if (*s != ' ' && *s != '\t')
            continue;
        int64_t class_id = class_of_name(known, s + 1);
        if (class_id != NO_CLASS)
            return class_id < 0 ? class_id : cut_at(text, s, class_id);
    }
    return NO_CLASS;
}

int64_t class_of_field(const class_table *known, const char *field)
{
    int64_t class_id = class_of_word(known, field);
    size_t first = strcspn(field, " ");
    if (class_id != NO_CLASS || !field[first])
        return class_id;
    char *word = cli_format("%.*s", (int)first, field);
    class_id = class_of_word(known, word);
    free(word);
    return class_id;
}

typedef struct lines {
    size_t count, numbers;
} lines;

static void count_line(void *user, char *text, size_t number)
{
    lines *l = user;
    (void)number;
    cut_blanks(text);
    l->count++;
    l->numbers += class_number(text) != NO_CLASS;
}

bool labels_are_names(const char *path, size_t count)
{
    lines l = {0};
    read_lines(path, count_line, &l);
    return l.count == count && l.numbers < l.count;
}

/* ---- lists ---- */

typedef struct list {
    cli_inputs *inputs;
    const char *path, *base; /* base: what relative names follow */
    const class_table *classes;
    table table;
} list;

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static char *full_path(const list *l, const char *name)
{
    return cli_format("%s%s", *name == '/' ? "" : l->base, name);
}

/* Tables often name pictures without the ending. */
static char *with_ending(char *path)
{
    static const char *const endings[] = {".JPEG", ".jpg", ".jpeg", ".png", ".JPG", ".PNG"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !exists(path); i++) {
        char *longer = cli_format("%s%s", path, endings[i]);
        if (exists(longer)) {
            free(path);
            return longer;
        }
        free(longer);
    }
    return path;
}

static void add_row(list *l, const char *name, const char *field, size_t number)
{
    int64_t label = NO_LABEL;
    if (!name || !*name)
        cli_refuse(l->path, "line %zu names no file", number + 1);
    if (l->classes && field && *field)
        label = class_of_field(l->classes, field);
    if (label == SEVERAL_CLASSES || (label == NO_CLASS && l->classes && field && *field))
        cli_refuse(l->path, "line %zu: \"%s\" is %s of the model", number + 1, field,
                   label == NO_CLASS ? "not a class" : "more than one class");
    char *path = with_ending(full_path(l, name));
    cli_inputs_append(l->inputs, path, NULL, label);
    free(path);
}

static void add_line(void *user, char *text, size_t number)
{
    list *l = user;
    table_row row;
    table_line kind = table_read(&l->table, text, &row);
    if (kind == TABLE_ROW)
        add_row(l, row.name, row.label, number);
    if (kind != TABLE_NONE)
        return;
    char *path = full_path(l, text);
    int64_t label = NO_LABEL;
    if (!exists(path)) { /* else all of the line is the file's name */
        free(path);
        cut_blanks(text);
        path = full_path(l, text);
    }
    if (*text && l->classes && !exists(path) && (label = cut_class(text, l->classes)) >= 0) {
        free(path);
        path = full_path(l, text);
    }
    if (*text)
        cli_inputs_append(l->inputs, path, NULL, label == SEVERAL_CLASSES ? NO_LABEL : label);
    free(path);
}

char *list_base(const char *path)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    bool here = strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0 ||
                strncmp(path, "/proc/", 6) == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
    return cli_format("%.*s", here || !slash ? 0 : (int)(slash + 1 - path), path);
}

void cli_inputs_add_list(cli_inputs *inputs, const char *path, const class_table *known)
{
    char *base = list_base(path);
    list l = {inputs, path, base, known, {.csv = ends_with_any_case(path, ".csv")}};
    size_t before = inputs->count;
    read_lines(path, add_line, &l);
    if (inputs->count == before)
        cli_inputs_append(inputs, path, "an empty list", NO_LABEL);
    free(base);
}
