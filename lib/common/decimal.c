#include "common/decimal.h"

#include <float.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool scarlet__parse_decimal(const char *text, size_t length, double *value)
{
    char buffer[64];
    size_t i = 0, digits = 0;
    if (length == 0 || length >= sizeof buffer)
        return false;
    if (text[i] == '-')
        i++;
    for (; i < length && text[i] >= '0' && text[i] <= '9'; i++)
        digits++;
    if (i < length && text[i] == '.')
        for (i++; i < length && text[i] >= '0' && text[i] <= '9'; i++)
            digits++;
    if (digits == 0)
        return false;
    if (i < length && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < length && (text[i] == '-' || text[i] == '+'))
            i++;
        size_t from = i;
        while (i < length && text[i] >= '0' && text[i] <= '9')
            i++;
        if (i == from)
            return false;
    }
    if (i != length)
        return false;
    memcpy(buffer, text, length);
    buffer[length] = '\0';
    /* The grammar is checked; strtod_l rounds correctly whatever locale the host set. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c)
        return false;
    *value = strtod_l(buffer, NULL, c);
    freelocale(c);
    return *value >= -DBL_MAX && *value <= DBL_MAX;
}

size_t scarlet__parse_decimals(const char *text, size_t length, double values[3])
{
    const char *end = text + length;
    char separator = memchr(text, ':', length) ? ':' : ',';
    for (size_t n = 0; n < 3; n++) {
        const char *after = memchr(text, separator, (size_t)(end - text));
        const char *last = after ? after : end;
        while (text < last && (*text == ' ' || *text == '\t'))
            text++;
        size_t digits = (size_t)(last - text);
        while (digits && (text[digits - 1] == ' ' || text[digits - 1] == '\t'))
            digits--;
        if (!scarlet__parse_decimal(text, digits, &values[n]))
            return 0;
        if (!after)
            return n + 1;
        text = after + 1;
    }
    return 0;
}

void scarlet__print_decimal(float x, char text[SCARLET__DECIMAL_SIZE])
{
    double back;
    int digits = 6;
    do {
        snprintf(text, SCARLET__DECIMAL_SIZE, "%.*g", digits, (double)x);
        for (char *p = text; *p; p++) /* the host's locale may have a decimal comma */
            if (*p == ',')
                *p = '.';
    } while (digits++ < 9 &&
             (!scarlet__parse_decimal(text, strlen(text), &back) || (float)back != x));
}
