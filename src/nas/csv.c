#include "csv.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/message.h"

static char *read_all(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        cli_refuse_errno(path);
    size_t length, got;
    char *text, piece[16384];
    FILE *memory = cli_memory(&text, &length);
    while ((got = fread(piece, 1, sizeof piece, in)) > 0)
        fwrite(piece, 1, got, memory);
    if (ferror(in))
        cli_refuse_errno(path);
    fclose(in);
    if (fclose(memory) != 0)
        cli_out_of_memory();
    if (strlen(text) != length)
        cli_refuse(path, "not a text file");
    return text;
}

/* Ends the cell at *p in place; *p moves past it and what separates it. False at a line's end. */
static bool take_cell(const csv *table, char **p)
{
    char *from = *p, *to = *p;
    if (*from == '"') {
        bool open = true;
        for (from++; *from; *to++ = *from++)
            if (*from == '"' && *++from != '"') {
                open = false;
                break;
            }
        if (open || !strchr(",\r\n", *from)) /* a NUL counts as one of them */
            cli_refuse(table->path, "a cell's quotes do not match");
    } else {
        from += strcspn(from, ",\r\n");
        to = from;
    }
    bool more = *from == ',';
    char *next = from + (*from == '\r' || more);
    *p = next + (!more && *next == '\n');
    *to = '\0';
    return more;
}

void csv_open(csv *table, const char *path)
{
    *table = (csv){.path = path, .text = read_all(path)};
    size_t cells = 0, lines = 0;
    for (char *p = table->text; *p;) {
        if (*p == '#' || *p == '\n' || *p == '\r') {
            p += strcspn(p, "\n");
            p += *p == '\n';
            continue;
        }
        size_t before = cells;
        bool more = true;
        while (more) {
            table->cell = cli_grow(table->cell, cells, sizeof *table->cell);
            table->cell[cells++] = p;
            more = take_cell(table, &p);
        }
        if (lines++ == 0)
            table->columns = cells;
        else if (cells - before != table->columns)
            cli_refuse(path, "row %zu has %zu cells, the first line %zu", lines - 1, cells - before,
                       table->columns);
    }
    if (!lines)
        cli_refuse(path, "no line of names");
    table->rows = lines - 1;
}

void csv_close(csv *table)
{
    free(table->cell);
    free(table->text);
}

bool csv_has(const csv *table, const char *name)
{
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->cell[i], name) == 0)
            return true;
    return false;
}

size_t csv_column(const csv *table, const char *name)
{
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->cell[i], name) == 0)
            return i;
    cli_refuse(table->path, "no column \"%s\"", name);
}

const char *csv_cell(const csv *table, size_t row, size_t column)
{
    return table->cell[(row + 1) * table->columns + column];
}

double csv_number(const csv *table, size_t row, size_t column)
{
    const char *text = csv_cell(table, row, column);
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value))
        cli_refuse(table->path, "row %zu, column %s: \"%.40s\" is not a number", row + 1,
                   table->cell[column], text);
    return value;
}

void csv_put(FILE *out, const char *text)
{
    bool quote = strpbrk(text, ",\"\r\n") != NULL;
    if (quote)
        fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    if (quote)
        fputc('"', out);
}
