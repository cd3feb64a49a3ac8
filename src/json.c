#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "cli.h"

static void separate(json *j)
{
    if (j->comma)
        fputs(", ", j->out);
    j->comma = true;
}

void json_open(json *j, char bracket)
{
    separate(j);
    fputc(bracket, j->out);
    j->comma = false;
}

void json_close(json *j, char bracket)
{
    fputc(bracket, j->out);
    j->comma = true;
}

void json_key(json *j, const char *key)
{
    json_text(j, key);
    fputs(": ", j->out);
    j->comma = false;
}

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

void json_text(json *j, const char *text)
{
    separate(j);
    if (!text) {
        fputs("null", j->out);
        return;
    }
    fputc('"', j->out);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = utf8_length(s);
        if (*s == '"' || *s == '\\')
            fprintf(j->out, "\\%c", *s);
        else if (*s == '\n')
            fputs("\\n", j->out);
        else if (*s < 0x20 || *s == 0x7F)
            fprintf(j->out, "\\u%04x", *s);
        else if (!length)
            fprintf(j->out, "\\udc%02x", *s);
        else
            fwrite(s, 1, length, j->out);
        s += length ? length : 1;
    }
    fputc('"', j->out);
}

void json_integer(json *j, int64_t value)
{
    separate(j);
    fprintf(j->out, "%" PRId64, value);
}

void json_bool(json *j, bool value)
{
    separate(j);
    fputs(value ? "true" : "false", j->out);
}

void json_float(json *j, float value)
{
    separate(j);
    if (!isfinite(value)) {
        fputs("null", j->out);
        return;
    }
    char text[32];
    for (int digits = 6; digits <= 9; digits++) { /* 9 always suffice */
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) /* the program never leaves the C locale */
            break;
    }
    fputs(text, j->out);
}

void json_double(json *j, double value)
{
    separate(j);
    if (!isfinite(value)) {
        fputs("null", j->out);
        return;
    }
    char text[32];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, j->out);
}

void json_failure(json *j, const scarlet_error *err)
{
    json_key(j, "error");
    json_text(j, err->message);
    json_key(j, "status");
    json_text(j, scarlet_status_string((scarlet_status)err->status));
}

void json_end(json *j)
{
    fputc('\n', j->out);
    fflush(j->out);
    j->comma = false;
}
