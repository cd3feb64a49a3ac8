#include "inputs.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "kind.h"

void cli_inputs_append(cli_inputs *inputs, const char *path, const char *error, int64_t label)
{
    inputs->item = cli_grow(inputs->item, inputs->count, sizeof *inputs->item);
    inputs->item[inputs->count++] = (cli_input){cli_format("%s", path), error, label, false};
}

static void append(cli_inputs *inputs, const char *path, const char *error)
{
    cli_inputs_append(inputs, path, error, NO_LABEL);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const cli_input *)a)->path, ((const cli_input *)b)->path);
}

static void walk(cli_inputs *inputs, char *folder)
{
    size_t before = inputs->count;
    char *const roots[] = {folder, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry = NULL;
    while (tree && (errno = 0, entry = fts_read(tree))) {
        switch (entry->fts_info) {
        case FTS_D:
        case FTS_DP:
            break;
        case FTS_DNR:
        case FTS_ERR:
            append(inputs, entry->fts_path, strerror(entry->fts_errno));
            break;
        case FTS_DC:
            append(inputs, entry->fts_path, "a link to a folder above it");
            break;
        default: /* dangling links and pipes are reported on loading */
            if (is_picture(entry->fts_name))
                append(inputs, entry->fts_path, NULL);
        }
    }
    if (errno)
        append(inputs, folder, strerror(errno));
    if (tree)
        fts_close(tree);
    if (inputs->count == before)
        append(inputs, folder, "a folder without pictures");
    qsort(inputs->item + before, inputs->count - before, sizeof *inputs->item, by_path);
}

void cli_inputs_add(cli_inputs *inputs, const char *path)
{
    input_kind kind = input_kind_of(path);
    if (kind == INPUT_FOLDER) {
        char *folder = cli_format("%s", path);
        walk(inputs, folder);
        free(folder);
    } else {
        append(inputs, path, NULL);
        inputs->item[inputs->count - 1].archive = kind == INPUT_ARCHIVE;
        inputs->archives |= kind == INPUT_ARCHIVE;
    }
}

void cli_inputs_free(cli_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        free(inputs->item[i].path);
    free(inputs->item);
    *inputs = (cli_inputs){0};
}
