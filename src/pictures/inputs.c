#include "inputs.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "kind.h"
#include "walk.h"

void cli_inputs_append(cli_inputs *inputs, const char *path, const char *error, int64_t label)
{
    inputs->item = cli_grow(inputs->item, inputs->count, sizeof *inputs->item);
    inputs->item[inputs->count++] = (cli_input){cli_format("%s", path), error, label, false};
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const found *)a)->path, ((const found *)b)->path);
}

void cli_inputs_add_below(cli_inputs *inputs, const char *folder, const picture_choice *choice,
                          int64_t label)
{
    size_t count;
    found *files = walk_pictures(folder, choice->takes, &count, &inputs->skipped);
    if (count)
        qsort(files, count, sizeof *files, choice->order);
    else
        cli_inputs_append(inputs, folder, choice->none, label);
    for (size_t i = 0; i < count; i++) {
        cli_inputs_append(inputs, files[i].path, files[i].error, label);
        free(files[i].path);
    }
    free(files);
}

void cli_inputs_add(cli_inputs *inputs, const char *path)
{
    static const char *const refusals[] = {
        [INPUT_ZIP] = "a zip archive; tar is read",
        [INPUT_7Z] = "a 7z archive; tar is read",
        [INPUT_RAR] = "a RAR archive; tar is read",
    };
    input_kind kind = input_kind_of(path);
    if (kind == INPUT_FOLDER) {
        const picture_choice all = {is_picture, by_path, "a folder without pictures"};
        cli_inputs_add_below(inputs, path, &all, NO_LABEL);
        return;
    }
    bool refused = kind < sizeof refusals / sizeof *refusals;
    cli_inputs_append(inputs, path, refused ? refusals[kind] : NULL, NO_LABEL);
    inputs->item[inputs->count - 1].archive = kind == INPUT_ARCHIVE;
    inputs->archives |= kind == INPUT_ARCHIVE;
}

void cli_inputs_free(cli_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        free(inputs->item[i].path);
    free(inputs->item);
    *inputs = (cli_inputs){0};
}
