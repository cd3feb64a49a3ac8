#include "npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "message.h"

struct npy {
    FILE *file, *target; /* target: of what is kept in memory until the end; NULL: nothing is */
    char *path, *memory;
    size_t size, rows, columns;
    float *blank;
};

enum { HEAD = 128 }; /* a fixed size, enough for any number of rows */

static void write_head(npy *n, FILE *file)
{
    char head[HEAD + 1];
    int used = snprintf(head, sizeof head,
                        "%cNUMPY%c%c%c%c{'descr': '<f4', 'fortran_order': False, 'shape': "
                        "(%zu, %zu), }",
                        0x93, 1, 0, HEAD - 10, 0, n->rows, n->columns);
    memset(head + used, ' ', (size_t)(HEAD - 1 - used));
    head[HEAD - 1] = '\n';
    if (fwrite(head, 1, HEAD, file) != HEAD)
        cli_discard(n->path);
}

npy *npy_create(const char *path, size_t columns)
{
    npy *n = cli_alloc(1, sizeof *n);
    n->path = cli_format("%s", path);
    n->columns = columns;
    n->blank = cli_alloc(columns, sizeof *n->blank);
    for (size_t i = 0; i < columns; i++)
        n->blank[i] = NAN;
    n->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (!n->file)
        cli_refuse_errno(path);
    if (n->file == stdout || fseeko(n->file, 0, SEEK_SET) != 0) { /* a pipe: its head comes last */
        n->target = n->file;
        n->file = cli_memory(&n->memory, &n->size);
    } else {
        write_head(n, n->file);
    }
    return n;
}

void npy_row(npy *n, const float *row)
{
    if (fwrite(row ? row : n->blank, sizeof *row, n->columns, n->file) != n->columns)
        cli_discard(n->path);
    n->rows++;
}

void npy_close(npy *n)
{
    if (n->target ? fclose(n->file) != 0 : fseeko(n->file, 0, SEEK_SET) != 0)
        cli_discard(n->path);
    FILE *out = n->target ? n->target : n->file;
    write_head(n, out);
    if (n->target && fwrite(n->memory, 1, n->size, out) != n->size)
        cli_discard(n->path);
    if (out == stdout ? fflush(out) != 0 : fclose(out) != 0)
        cli_discard(n->path);
    free(n->memory);
    free(n->blank);
    free(n->path);
    free(n);
}
