#include "csv.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cells.h"
#include "common/message.h"

/* Takes the cell at *p; *p moves past it and what separates it. False at a line's end. */
static bool take_cell(const csv *table, char **p, char **cell)
{
    bool matched;
    char stop = cell_cut(p, ",\r\n", cell, &matched);
    if (!matched)
        cli_refuse(table->path, "a cell's quotes do not match");
    *p += stop == '\r' && **p == '\n';
    return stop == ',';
}

void csv_open(csv *table, const char *path)
{
    *table = (csv){.path = path};
    text_open(&table->file, path);
    if (strlen(table->file.text) != table->file.size)
        cli_refuse(path, "not a text file");
    size_t cells = 0, lines = 0;
    for (char *p = table->file.text; *p;) {
        if (*p == '#' || *p == '\n' || *p == '\r') {
            p += strcspn(p, "\n");
            p += *p == '\n';
            continue;
        }
        size_t before = cells;
        bool more = true;
        while (more) {
            table->cell = cli_grow(table->cell, cells, sizeof *table->cell);
            more = take_cell(table, &p, &table->cell[cells++]);
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
    text_close(&table->file);
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
