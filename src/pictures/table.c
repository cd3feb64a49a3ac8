#include "table.h"

#include <ctype.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

/* The next field of a line, unquoted in place as RFC 4180 has it; *at moves past it, to NULL after
 * the last. */
static char *next_field(char **at, char separator)
{
    char *s = *at, *field = s, *to = s;
    bool quoted = *s == '"';
    s += quoted;
    for (; *s && (quoted || *s != separator); s++) {
        if (quoted && *s == '"' && *++s != '"')
            quoted = false;
        if (!quoted && (!*s || *s == separator))
            break;
        *to++ = *s;
    }
    *at = *s ? s + 1 : NULL;
    *to = '\0';
    return field;
}

static size_t split(char *line, char separator, char **fields)
{
    size_t count = 0;
    for (char *at = line; at && count < COLUMNS_MAX;)
        fields[count++] = next_field(&at, separator);
    return count;
}

/* Letters and digits only, in any case: "Image_ID" is "imageid". */
static bool is_one_of(const char *title, const char *const *words)
{
    for (; *words; words++) {
        const char *s = title, *w = *words;
        for (; *s; s++)
            if (isalnum((unsigned char)*s)) {
                if (tolower((unsigned char)*s) != *w)
                    break;
                w++;
            }
        if (!*s && !*w)
            return true;
    }
    return false;
}

/* Columns by their titles; false if this is no header. */
static bool read_header(table *t, char *line, char separator)
{
    static const char *const names[] = {"imageid",  "imagename", "imagepath", "image", "img",
                                        "filename", "filepath",  "file",      "path",  "picture",
                                        "name",     "id",        NULL};
    static const char *const labels[] = {
        "predictionstring", "label",     "labels", "class",    "classid", "wnid",        "synset",
        "classname",        "labelname", "y",      "category", "target",  "groundtruth", NULL};
    char *fields[COLUMNS_MAX];
    size_t count = split(line, separator, fields);
    for (size_t i = count; i > 0; i--) { /* the first of several holds */
        if (is_one_of(fields[i - 1], labels)) {
            t->label = i - 1;
            t->has_label = true;
        } else if (is_one_of(fields[i - 1], names)) {
            t->name = i - 1;
            t->has_name = true;
        }
    }
    return t->csv ? t->has_label || t->has_name : t->has_label && t->has_name;
}

/* The first line: a header, or the first row of a table without one. */
static bool begin(table *t, const char *line)
{
    static const char separators[] = ",;\t";
    t->begun = true;
    for (const char *s = separators; *s; s++) {
        char copy[1024];
        table trial = *t;
        bool alone = t->csv && s == separators; /* of one column */
        if ((!strchr(line, *s) && !alone) || strlen(line) >= sizeof copy)
            continue;
        if (read_header(&trial, strcpy(copy, line), *s)) {
            *t = trial;
            t->separator = *s;
            return true;
        }
    }
    if (!t->csv)
        return false;
    t->separator = !strchr(line, ',') && strchr(line, ';') ? ';' : ',';
    t->has_name = t->has_label = true;
    t->label = 1;
    return false;
}

bool table_is(const table *t)
{
    return t->separator != '\0';
}

bool table_row(table *t, char *line, char **name, char **label)
{
    if (!t->begun && begin(t, line))
        return false;
    if (!table_is(t))
        return false;
    char *fields[COLUMNS_MAX];
    size_t count = split(line, t->separator, fields);
    *name = t->has_name && t->name < count ? fields[t->name] : NULL;
    *label = t->has_label && t->label < count ? fields[t->label] : NULL;
    return true;
}
