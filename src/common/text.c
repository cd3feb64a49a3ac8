#include "text.h"

#include <string.h>
#include <strings.h>

#include "alloc.h"

size_t utf8_length(const unsigned char *s)
{
    static const struct {
        unsigned char lead_min, lead_max, next_min, next_max, tail;
    } forms[] = {
        {0xC2, 0xDF, 0x80, 0xBF, 1}, {0xE0, 0xE0, 0xA0, 0xBF, 2}, {0xE1, 0xEC, 0x80, 0xBF, 2},
        {0xED, 0xED, 0x80, 0x9F, 2}, {0xEE, 0xEF, 0x80, 0xBF, 2}, {0xF0, 0xF0, 0x90, 0xBF, 3},
        {0xF1, 0xF3, 0x80, 0xBF, 3}, {0xF4, 0xF4, 0x80, 0x8F, 3},
    };
    if (*s < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (s[0] < forms[i].lead_min || s[0] > forms[i].lead_max)
            continue;
        if (s[1] < forms[i].next_min || s[1] > forms[i].next_max)
            return 0;
        for (size_t k = 2; k <= forms[i].tail; k++)
            if ((s[k] & 0xC0) != 0x80)
                return 0;
        return forms[i].tail + (size_t)1;
    }
    return 0;
}

static unsigned code_point(const unsigned char **at)
{
    const unsigned char *s = *at;
    size_t length = utf8_length(s);
    *at += length ? length : 1;
    switch (length) {
    case 0:
        return 0xDC00u + s[0]; /* Python's surrogateescape */
    case 1:
        return s[0];
    case 2:
        return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
    case 3:
        return (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    default:
        return (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
    }
}

int by_code_points(const char *a, const char *b)
{
    const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
    while (*x && *y) {
        unsigned p = code_point(&x), q = code_point(&y);
        if (p != q)
            return p < q ? -1 : 1;
    }
    return (*x != 0) - (*y != 0);
}

static const char *ending(const char *text, const char *end)
{
    size_t length = strlen(text), n = strlen(end);
    return length >= n ? text + length - n : "";
}

bool ends_with(const char *text, const char *end)
{
    return strcmp(ending(text, end), end) == 0;
}

bool ends_with_any_case(const char *text, const char *end)
{
    return strcasecmp(ending(text, end), end) == 0;
}

char *shorten(const char *text, size_t most)
{
    size_t length = strlen(text);
    if (length <= most)
        return cli_format("%s", text);
    size_t head = (most - 3) / 3, tail = most - 3 - head; /* the end says more */
    while (head && ((unsigned char)text[head] & 0xC0) == 0x80)
        head--;
    while (tail && ((unsigned char)text[length - tail] & 0xC0) == 0x80)
        tail--;
    return cli_format("%.*s...%s", (int)head, text, text + length - tail);
}
