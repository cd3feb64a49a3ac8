#include "network/style.h"

#include <string.h>

#include "common/decimal.h"
#include "common/error.h"

const scarlet__style scarlet__style_default = {SCARLET__BLOCK_HSWISH, 1e-5, false};

/* Length of the value after `key` at *p, which is moved to it; 0 if there is none. */
static size_t value(const char **p, const char *key)
{
    const size_t n = strlen(key);
    if (strncmp(*p, key, n) != 0)
        return 0;
    *p += n;
    return strcspn(*p, " ");
}

/* Whether the value is a word or the other; *second says which. */
static bool either(const char *text, size_t length, const char *first, const char *other,
                   bool *second)
{
    *second = strlen(other) == length && memcmp(text, other, length) == 0;
    return *second || (strlen(first) == length && memcmp(text, first, length) == 0);
}

static bool parse(const char *p, scarlet__style *s)
{
    bool relu6;
    size_t n = value(&p, "activation=");
    if (!either(p, n, "hswish", "relu6", &relu6))
        return false;
    s->activation = relu6 ? SCARLET__BLOCK_RELU6 : SCARLET__BLOCK_HSWISH;
    p += n;
    n = value(&p, " epsilon=");
    /* Not so small that an inverse could be infinite. */
    if (!scarlet__parse_decimal(p, n, &s->epsilon) || s->epsilon < 1e-12 || s->epsilon > 1)
        return false;
    p += n;
    n = value(&p, " padding=");
    return either(p, n, "symmetric", "same", &s->same) && p[n] == '\0';
}

scarlet_status scarlet__style_parse(const char *text, scarlet__style *out, scarlet_error *err)
{
    if (!parse(text, out))
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "metadata scarlet.network: \"%.60s\" is not of the form "
                             "\"activation=relu6 epsilon=0.001 padding=same\"",
                             text);
    return SCARLET_OK;
}

bool scarlet__style_equal(const scarlet__style *a, const scarlet__style *b)
{
    return a->activation == b->activation && !(a->epsilon < b->epsilon) &&
           !(a->epsilon > b->epsilon) && a->same == b->same;
}
