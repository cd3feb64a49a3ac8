#include "cells.h"

#include <string.h>

char cell_cut(char **at, const char *stops, char **cell, bool *matched)
{
    char *s = *at, *to = s;
    bool open = *s == '"', odd = false;
    *cell = s;
    s += open;
    while (*s && (open || !strchr(stops, *s))) {
        if (open && *s == '"' && *++s != '"') {
            open = false;
            odd = *s && !strchr(stops, *s);
        } else {
            *to++ = *s++;
        }
    }
    char stop = *s;
    *at = s + (stop != '\0');
    *to = '\0';
    if (matched)
        *matched = !open && !odd;
    return stop;
}

void cell_put_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void cell_put(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n"))
        cell_put_quoted(out, text);
    else
        fputs(text, out);
}
