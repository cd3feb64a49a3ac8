#include "json_write.h"

#include <inttypes.h>
#include <math.h>

#include "number.h"
#include "text.h"

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

void json_text(json *j, const char *text)
{
    separate(j);
    if (!text) {
        fputs("null", j->out);
        return;
    }
    fputc('"', j->out);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t plain = 0;
        while (s[plain] >= 0x20 && s[plain] < 0x7F && s[plain] != '"' && s[plain] != '\\')
            plain++;
        fwrite(s, 1, plain, j->out);
        s += plain;
        if (!*s)
            break;
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
    if (isfinite(value))
        put_float(j->out, value);
    else
        fputs("null", j->out);
}

void json_double(json *j, double value)
{
    separate(j);
    if (isfinite(value))
        put_double(j->out, value);
    else
        fputs("null", j->out);
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
