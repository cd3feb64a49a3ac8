#include "network/space.h"

#include <stdbool.h>
#include <string.h>

#include "common/error.h"

const scarlet__space scarlet__space_default = {
    .stem = 32,
    .tail = 1280,
    .count = 19,
    .layer = {{32, 2},
              {32, 1},
              {40, 2},
              {40, 1},
              {40, 1},
              {40, 1},
              {80, 2},
              {80, 1},
              {80, 1},
              {80, 1},
              {96, 1},
              {96, 1},
              {96, 1},
              {96, 1},
              {192, 2},
              {192, 1},
              {192, 1},
              {192, 1},
              {320, 1}},
};

/* Reads a decimal number in low .. high. */
static bool number(const char **p, int low, int high, int *out)
{
    int v = 0, digits = 0;
    for (; **p >= '0' && **p <= '9' && digits < 6; ++*p, digits++)
        v = v * 10 + (**p - '0');
    *out = v;
    return digits > 0 && v >= low && v <= high;
}

static bool word(const char **p, const char *expected)
{
    size_t n = strlen(expected);
    bool same = strncmp(*p, expected, n) == 0;
    if (same)
        *p += n;
    return same;
}

static bool parse(const char *p, scarlet__space *s)
{
    *s = (scarlet__space){0};
    if (!word(&p, "stem=") || !number(&p, 2, 4096, &s->stem) || s->stem % 2 != 0 ||
        !word(&p, " tail=") || !number(&p, 1, 16384, &s->tail) || !word(&p, " layers="))
        return false;
    do {
        if (s->count == SCARLET__SPACE_LAYERS_MAX)
            return false;
        int i = s->count++;
        if (!number(&p, 1, 4096, &s->layer[i].channels) || !word(&p, ":") ||
            !number(&p, 1, 2, &s->layer[i].stride))
            return false;
    } while (word(&p, ","));
    return *p == '\0';
}

scarlet_status scarlet__space_parse(const char *text, scarlet__space *out, scarlet_error *err)
{
    if (!parse(text, out))
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "metadata scarlet.space: \"%.60s\" is not of the form "
                             "\"stem=16 tail=640 layers=24:2,24:1\" (even stem, at most %d layers, "
                             "stride 1 or 2)",
                             text, SCARLET__SPACE_LAYERS_MAX);
    return SCARLET_OK;
}
