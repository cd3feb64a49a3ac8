#include "formats/json.h"

#include <stdio.h>
#include <string.h>

#include "common/memory.h"
#include "common/utf8.h"

static bool wrong(scarlet__json *json, const char *problem)
{
    json->problem = problem;
    return false;
}

static void skip_spaces(scarlet__json *json)
{
    while (json->at < json->length && memchr(" \t\r\n", json->text[json->at], 4))
        json->at++;
}

bool scarlet__json_take(scarlet__json *json, char c)
{
    skip_spaces(json);
    if (json->at == json->length || json->text[json->at] != c)
        return false;
    json->at++;
    return true;
}

bool scarlet__json_expect(scarlet__json *json, char c)
{
    if (scarlet__json_take(json, c))
        return true;
    switch (c) {
    case '{':
        return wrong(json, "expected '{'");
    case '}':
        return wrong(json, "expected ',' or '}'");
    case '[':
        return wrong(json, "expected '['");
    case ']':
        return wrong(json, "expected ',' or ']'");
    default:
        return wrong(json, "expected ':'");
    }
}

bool scarlet__json_end(scarlet__json *json)
{
    skip_spaces(json);
    return json->at == json->length || wrong(json, "expected the end");
}

/* The four hexadecimal digits of a \u escape. */
static bool hex4(scarlet__json *json, uint32_t *value)
{
    if (json->length - json->at < 4)
        return wrong(json, "expected four hexadecimal digits");
    *value = 0;
    for (int i = 0; i < 4; i++) {
        char c = json->text[json->at];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (uint32_t)((c | 32) - 'a' + 10);
        else
            return wrong(json, "expected four hexadecimal digits");
        *value = *value << 4 | digit;
        json->at++;
    }
    return true;
}

/* A \u escape, after its u; a pair of surrogates makes one character. */
static bool unicode(scarlet__json *json, uint32_t *value)
{
    uint32_t low;
    if (!hex4(json, value))
        return false;
    if (*value == 0)
        return wrong(json, "a string holds a NUL character");
    if (*value < 0xD800 || *value > 0xDFFF)
        return true;
    if (*value > 0xDBFF || json->length - json->at < 2 || json->text[json->at] != '\\' ||
        json->text[json->at + 1] != 'u')
        return wrong(json, "half of a surrogate pair");
    json->at += 2;
    if (!hex4(json, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF)
        return wrong(json, "half of a surrogate pair");
    *value = 0x10000 + ((*value - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    *out++ = (char)(lead[tail] | c >> (6 * tail));
    while (tail-- > 0)
        *out++ = (char)(0x80 | (c >> (6 * tail) & 0x3F));
    return out;
}

/* What an escape stands for, after its backslash. */
static bool escape(scarlet__json *json, uint32_t *value)
{
    static const char name[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
    if (json->at == json->length)
        return wrong(json, "a string without an end");
    char c = json->text[json->at];
    const char *known = c ? strchr(name, c) : NULL;
    if (c != 'u' && !known)
        return wrong(json, "unknown escape");
    json->at++;
    if (c == 'u')
        return unicode(json, value);
    *value = (uint32_t)meaning[known - name];
    return true;
}

bool scarlet__json_string(scarlet__json *json, char **string)
{
    skip_spaces(json);
    if (json->at == json->length || json->text[json->at] != '"')
        return wrong(json, "expected a string");
    json->at++;
    /* No escape is shorter than what it stands for, so `out` never overtakes `at`. */
    char *out = *string = json->text + json->at;
    while (json->at < json->length) {
        char c = json->text[json->at];
        uint32_t value;
        if ((unsigned char)c < 0x20)
            return wrong(json, "control character in a string");
        json->at++;
        if (c == '"') {
            *out = '\0';
            return true;
        }
        if (c != '\\')
            *out++ = c;
        else if (escape(json, &value))
            out = put_utf8(out, value);
        else
            return false;
    }
    return wrong(json, "a string without an end");
}

bool scarlet__json_unsigned(scarlet__json *json, uint64_t *value)
{
    skip_spaces(json);
    size_t start = json->at;
    *value = 0;
    while (json->at < json->length && json->text[json->at] >= '0' && json->text[json->at] <= '9') {
        if (__builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(json->text[json->at] - '0'), value))
            return wrong(json, "a number above 2^64");
        json->at++;
    }
    if (json->at == start)
        return wrong(json, "expected an unsigned integer");
    if (json->text[start] == '0' && json->at - start > 1)
        return wrong(json, "a number with a leading 0");
    return true;
}

char **scarlet__json_strings(const char *text, size_t *count, const char **problem)
{
    /* One block: the pointers, then the text they point into. A string takes three bytes of the
     * array ("",) at least. */
    size_t length = strlen(text), most = length / 3 + 1, bytes;
    *count = 0;
    *problem = NULL;
    if (scarlet__utf8_check(text, length) != length) {
        *problem = "not UTF-8";
        return NULL;
    }
    char **strings = NULL;
    if (!__builtin_mul_overflow(most, sizeof *strings, &bytes) &&
        !__builtin_add_overflow(bytes, length + 1, &bytes))
        strings = scarlet__alloc(bytes, 1);
    if (!strings)
        return NULL;
    scarlet__json json = {.text = (char *)(strings + most), .length = length};
    memcpy(json.text, text, length + 1);
    bool ok = scarlet__json_expect(&json, '[');
    if (ok && !scarlet__json_take(&json, ']')) {
        do
            ok = scarlet__json_string(&json, &strings[*count]);
        while (ok && ++*count && scarlet__json_take(&json, ','));
        ok = ok && scarlet__json_expect(&json, ']');
    }
    if (ok && scarlet__json_end(&json))
        return strings;
    *problem = json.problem;
    *count = 0;
    scarlet__free(strings);
    return NULL;
}

static void put(scarlet__text *text, const char *piece, size_t length)
{
    size_t needed;
    if (text->failed)
        return;
    if (__builtin_add_overflow(text->length, length, &needed) || needed > SIZE_MAX / 4) {
        text->failed = true;
        return;
    }
    if (needed + 1 > text->capacity) {
        char *grown = scarlet__realloc(text->data, 2 * needed + 64, 1);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->data = grown;
        text->capacity = 2 * needed + 64;
    }
    memcpy(text->data + text->length, piece, length);
    text->length = needed;
    text->data[needed] = '\0';
}

void scarlet__text_put(scarlet__text *text, const char *piece)
{
    put(text, piece, strlen(piece));
}

void scarlet__text_put_unsigned(scarlet__text *text, uint64_t value)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    scarlet__text_put(text, digits);
}

void scarlet__text_put_string(scarlet__text *text, const char *string)
{
    put(text, "\"", 1);
    while (*string) {
        size_t plain = 0;
        while ((unsigned char)string[plain] >= 0x20 && string[plain] != '"' &&
               string[plain] != '\\')
            plain++;
        put(text, string, plain);
        string += plain;
        if (*string) {
            char code[8];
            snprintf(code, sizeof code, *string < 0x20 ? "\\u%04x" : "\\%c", *string);
            scarlet__text_put(text, code);
            string++;
        }
    }
    put(text, "\"", 1);
}
