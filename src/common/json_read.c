#include "json_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

enum { DEPTH_MAX = 16 };

static bool hex4(const char *s, unsigned *value)
{
    *value = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef", *d = s[i] ? strchr(digits, s[i] | 0x20) : NULL;
        if (!d)
            return false;
        *value = *value << 4 | (unsigned)(d - digits);
    }
    return true;
}

static char *put_code_point(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    }
    return to;
}

/* \uXXXX at *at, which is moved past it. A lone \udc80 .. \udcff is a byte that is not UTF-8. */
static bool unescape_unicode(char **at, char **to)
{
    unsigned c, low;
    if (!hex4(*at + 2, &c) || c == 0)
        return false;
    *at += 6;
    if (c >= 0xDC80 && c <= 0xDCFF) {
        *(*to)++ = (char)(c - 0xDC00);
        return true;
    }
    if (c >= 0xD800 && c <= 0xDBFF) {
        if ((*at)[0] != '\\' || (*at)[1] != 'u' || !hex4(*at + 2, &low) || low < 0xDC00 ||
            low > 0xDFFF)
            return false;
        *at += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    *to = put_code_point(*to, c);
    return true;
}

/* A string at *at, decoded in place; NULL if there is none. */
static const char *parse_string(char **at)
{
    if (**at != '"')
        return NULL;
    char *s = *at + 1, *to = s;
    const char *text = s;
    while (*s != '"') {
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
        if ((unsigned char)*s < 0x20)
            return NULL;
        if (*s != '\\') {
            *to++ = *s++;
        } else if (s[1] == 'u') {
            if (!unescape_unicode(&s, &to))
                return NULL;
        } else {
            const char *name = s[1] ? strchr(names, s[1]) : NULL;
            if (!name)
                return NULL;
            *to++ = values[name - names];
            s += 2;
        }
    }
    *at = s + 1;
    *to = '\0';
    return text;
}

static json_node *add(json_doc *doc, char kind, const char *text)
{
    doc->node = cli_grow(doc->node, doc->count, sizeof *doc->node);
    doc->node[doc->count] = (json_node){kind, text, doc->count + 1};
    return &doc->node[doc->count++];
}

/* A number or a word. */
static bool parse_plain(json_doc *doc, char **at)
{
    static const char *const words[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(*at, words[i], strlen(words[i])) == 0) {
            add(doc, *words[i], *at);
            *at += strlen(words[i]);
            return true;
        }
    size_t length = strspn(*at, "+-.0123456789eE");
    char *end;
    strtod(*at, &end);
    if (!length || end != *at + length)
        return false;
    add(doc, '0', *at);
    *at = end;
    return true;
}

bool json_parse(json_doc *doc, char *text)
{
    size_t open[DEPTH_MAX], depth = 0;
    bool fresh = false, due = true; /* just opened; a value must follow */
    *doc = (json_doc){0};
    for (char *at = text;;) {
        at += strspn(at, " \t\r\n");
        if (!depth && !due)
            return *at == '\0';
        // cppcheck-suppress uninitvar ; `depth` of them are set
        char outer = depth ? doc->node[open[depth - 1]].kind : '\0';
        if (depth && (fresh || !due) && *at == (outer == '{' ? '}' : ']')) {
            doc->node[open[--depth]].end = doc->count;
            fresh = due = false;
            at++;
            continue;
        }
        if (!due) {
            if (*at++ != ',')
                return false;
            due = true;
            continue;
        }
        if (outer == '{') {
            const char *key = parse_string(&at);
            at += strspn(at, " \t\r\n");
            if (!key || *at++ != ':')
                return false;
            add(doc, 'k', key);
            at += strspn(at, " \t\r\n");
        }
        fresh = due = *at == '{' || *at == '[';
        if (fresh) {
            if (depth == DEPTH_MAX)
                return false;
            open[depth++] = doc->count;
            add(doc, *at++, NULL);
        } else if (*at == '"') {
            const char *string = parse_string(&at);
            if (!string)
                return false;
            add(doc, '"', string);
        } else if (!parse_plain(doc, &at)) {
            return false;
        }
    }
}

void json_doc_free(json_doc *doc)
{
    free(doc->node);
    *doc = (json_doc){0};
}

const json_node *json_get(const json_doc *doc, const json_node *object, const char *key, char kind)
{
    if (!object || object->kind != '{')
        return NULL;
    for (size_t i = (size_t)(object - doc->node) + 1; i < object->end; i = doc->node[i + 1].end)
        if (strcmp(doc->node[i].text, key) == 0)
            return doc->node[i + 1].kind == kind ? &doc->node[i + 1] : NULL;
    return NULL;
}

const json_node *json_first(const json_doc *doc, const json_node *array)
{
    if (!array || array->kind != '[')
        return NULL;
    size_t i = (size_t)(array - doc->node) + 1;
    return i < array->end ? &doc->node[i] : NULL;
}

const json_node *json_next(const json_doc *doc, const json_node *array, const json_node *element)
{
    return element->end < array->end ? &doc->node[element->end] : NULL;
}

bool json_read_integer(const json_node *node, int64_t min, int64_t *out)
{
    if (!node || node->kind != '0')
        return false;
    char *end;
    errno = 0;
    *out = strtoll(node->text, &end, 10);
    return !errno && *out >= min && !strchr(".eE", *end ? *end : 'x');
}

bool json_get_integer(const json_doc *doc, const json_node *object, const char *key, int64_t min,
                      int64_t *out)
{
    return json_read_integer(json_get(doc, object, key, '0'), min, out);
}

const char *json_get_text(const json_doc *doc, const json_node *object, const char *key)
{
    const json_node *node = json_get(doc, object, key, '"');
    return node ? node->text : NULL;
}
