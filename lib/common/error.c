#include "common/error.h"

#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

_Static_assert(sizeof(scarlet_error) == 256, "scarlet_error is frozen");
_Static_assert(sizeof(scarlet_prediction) == 8, "scarlet_prediction is frozen");

enum {
    TEXT = sizeof(((scarlet_error *)0)->message),
    WHOLE = 8192, /* room for a path and what is wrong with it */
    HEAD = TEXT / 3
};

/* Drops a UTF-8 sequence that was cut in its middle; hides control characters and what is not
 * UTF-8, which names from hostile files may hold. */
static void tidy(char *text)
{
    size_t n = strlen(text), start = n;
    while (start > 0 && n - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0) {
        unsigned char lead = (unsigned char)text[start - 1];
        size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (n - (start - 1) < want)
            text[start - 1] = '\0';
    }
    n = strlen(text);
    for (size_t i; (i = scarlet__utf8_check(text, n)) < n;)
        text[i] = '?';
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7F)
            *p = '?';
}

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Stores a text, without its middle if it is too long: a path may be, and what is wrong with it
 * comes after it. */
static void store(char *message, const char *whole)
{
    size_t length = strlen(whole), head = HEAD;
    memset(message, 0, TEXT);
    if (length < TEXT) {
        memcpy(message, whole, length);
    } else {
        while (continues(whole[head]))
            head--;
        const char *tail = whole + length - (TEXT - 1 - 3 - head);
        while (continues(*tail))
            tail++;
        memcpy(message, whole, head);
        memcpy(message + head, "...", 3);
        memcpy(message + head + 3, tail, strlen(tail));
    }
    tidy(message);
}

__attribute__((format(printf, 4, 0))) static void set(scarlet_error *err, scarlet_status status,
                                                      int detail, const char *format, va_list args)
{
    if (!err)
        return;
    err->status = status;
    err->detail = detail;
    char whole[WHOLE];
    vsnprintf(whole, sizeof whole, format, args);
    store(err->message, whole);
}

void scarlet__describe(scarlet_error *err, scarlet_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, status, 0, format, args);
    va_end(args);
}

void scarlet__describe_errno(scarlet_error *err, int code, const char *format, ...)
{
    if (!err)
        return;
    char whole[WHOLE];
    va_list args;
    va_start(args, format);
    vsnprintf(whole, sizeof whole, format, args);
    va_end(args);
    /* Messages are English, whatever locale the host set. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    scarlet__describe(err, SCARLET_ERROR_IO, "%s: %s", whole,
                      c ? strerror_l(code, c) : "the system refuses");
    err->detail = code;
    if (c)
        freelocale(c);
}

void scarlet__error_prefix(scarlet_error *err, const char *prefix)
{
    if (!err)
        return;
    char text[TEXT];
    memcpy(text, err->message, TEXT);
    int32_t detail = err->detail;
    scarlet__describe(err, err->status, "%s: %.*s", prefix, (int)TEXT, text);
    err->detail = detail;
}
