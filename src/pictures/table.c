#include "table.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "common/cells.h"
#include "common/lines.h"
#include "kind.h"

enum { COLUMNS_MAX = 64 };

static const char separators[] = ",;\t";

static size_t split(char *line, char separator, char **fields)
{
    const char stops[] = {separator, '\0'};
    size_t count = 0;
    while (count < COLUMNS_MAX && cell_cut(&line, stops, &fields[count++], NULL))
        ;
    return count;
}

/* Of blanks only the last separates: names may contain them, classes may not. */
static size_t split_at_blank(char *line, char **fields)
{
    char *blank = strrchr(line, ' ');
    fields[0] = line;
    if (!blank)
        return 1;
    *blank = '\0';
    fields[1] = blank + 1;
    return 2;
}

/* Index of the word that a title is, of its letters and digits only, in any case: "Image_ID" is
 * "imageid"; SIZE_MAX: none. */
static size_t word_of(const char *title, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        const char *s = title, *w = words[i];
        for (; *s; s++)
            if (isalnum((unsigned char)*s)) {
                if (tolower((unsigned char)*s) != *w)
                    break;
                w++;
            }
        if (!*s && !*w)
            return i;
    }
    return SIZE_MAX;
}

/* Columns by their titles; false if this is no header. */
static bool read_header(table *t, char *line, char separator)
{
    static const char *const names[] = {/* the first of them that is there holds */
                                        "imagepath", "filepath", "path", "filename", "file",
                                        "imagename", "image",    "img",  "picture",  "imageid",
                                        "name",      "id",       NULL};
    static const char *const labels[] = {
        "predictionstring", "label",     "labels", "class",    "classid", "wnid",        "synset",
        "classname",        "labelname", "y",      "category", "target",  "groundtruth", NULL};
    static const char *const parts[] = {"part", "split", "set", NULL};
    char *fields[COLUMNS_MAX];
    bool blank = separator == ' ';
    size_t count = blank ? split_at_blank(line, fields) : split(line, separator, fields);
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t word = word_of(fields[i], names);
        if (is_picture(fields[i]))
            return false;
        if (word < best) {
            best = word;
            t->name = i + 1;
        } else if (!t->label && word_of(fields[i], labels) != SIZE_MAX) {
            t->label = i + 1;
        } else if (!t->part && word_of(fields[i], parts) != SIZE_MAX) {
            t->part = i + 1;
        }
    }
    return t->csv && !blank ? t->name || t->label : t->name && t->label;
}

/* The first line; true: it is a header. */
static bool begin(table *t, const char *line)
{
    t->begun = true;
    t->csv |= t->separated && strpbrk(line, separators);
    for (const char *s = ",;\t "; *s; s++) {
        char copy[1024];
        const size_t size = strlen(line) + 1;
        table trial = *t;
        bool alone = t->csv && *s == ','; /* of one column */
        if ((!strchr(line, *s) && !alone) || size > sizeof copy)
            continue;
        if (read_header(&trial, memcpy(copy, line, size), *s)) {
            *t = trial;
            t->separator = *s == ' ' ? '\0' : *s; /* lines with blanks are the caller's */
            return true;
        }
    }
    if (!t->csv)
        return false;
    const char *s = separators;
    while (*s && !strchr(line, *s))
        s++;
    t->separator = *s ? *s : ',';
    t->name = 1;
    t->label = 2;
    t->part = 3;
    return false;
}

static char *field(char **fields, size_t count, size_t column)
{
    return column && column <= count ? fields[column - 1] : NULL;
}

static char *trimmed(char *text)
{
    if (!text)
        return NULL;
    cut_blanks(text);
    return text + strspn(text, " \t");
}

table_line table_read(table *t, char *line, table_row *row)
{
    *row = (table_row){0};
    if (!t->begun && begin(t, line))
        return TABLE_HEADER;
    if (!t->separator)
        return TABLE_NONE;
    char *fields[COLUMNS_MAX];
    size_t count = split(line, t->separator, fields);
    row->name = field(fields, count, t->name);
    row->label = trimmed(field(fields, count, t->label));
    row->part = trimmed(field(fields, count, t->part));
    return TABLE_ROW;
}
