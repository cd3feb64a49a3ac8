#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli.h"

/* The endings by which torchvision's ImageFolder knows a picture; what is inside decides later. */
static bool is_picture(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                          ".pgm", ".tif",  ".tiff", ".webp"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t end = strlen(endings[i]);
        if (length >= end && strcasecmp(name + length - end, endings[i]) == 0)
            return true;
    }
    return false;
}

static void append(cli_inputs *inputs, const char *path, const char *error)
{
    if ((inputs->count & (inputs->count - 1)) == 0) { /* full at every power of two */
        size_t room = inputs->count ? 2 * inputs->count : 1;
        cli_input *grown = cli_alloc(room, sizeof *grown);
        if (inputs->count)
            memcpy(grown, inputs->item, inputs->count * sizeof *grown);
        free(inputs->item);
        inputs->item = grown;
    }
    inputs->item[inputs->count++] = (cli_input){cli_format("%s", path), error};
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
        default: /* what a dangling link or a pipe is worth, loading it will tell */
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
    struct stat st;
    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        append(inputs, path, NULL);
        return;
    }
    char *folder = cli_format("%s", path);
    walk(inputs, folder);
    free(folder);
}

void cli_inputs_free(cli_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        free(inputs->item[i].path);
    free(inputs->item);
    *inputs = (cli_inputs){0};
}

__attribute__((format(printf, 3, 4))) static scarlet_status
fail(scarlet_error *err, scarlet_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->status = status;
    return status;
}

static scarlet_status read_stdin(char **data, size_t *size, scarlet_error *err)
{
    enum { MOST = 1 << 30 };
    size_t room = 1 << 16;
    *data = cli_alloc(room, 1);
    *size = 0;
    for (size_t got; (got = fread(*data + *size, 1, room - *size, stdin)) > 0;) {
        *size += got;
        if (*size < room)
            continue;
        if (room == MOST)
            return fail(err, SCARLET_ERROR_LIMIT, "standard input: more than %d bytes", MOST);
        char *grown = cli_alloc(room * 2, 1);
        memcpy(grown, *data, *size);
        free(*data);
        *data = grown;
        room *= 2;
    }
    if (ferror(stdin))
        return fail(err, SCARLET_ERROR_IO, "standard input: %s", strerror(errno));
    return SCARLET_OK;
}

scarlet_status cli_load(const cli_input *input, const scarlet_options *opts, scarlet_image **out,
                        scarlet_error *err)
{
    *out = NULL;
    if (input->error)
        return fail(err, SCARLET_ERROR_IO, "%s: %s", input->path, input->error);
    if (strcmp(input->path, "-") != 0)
        return scarlet_image_load(input->path, opts, out, err);
    char *data;
    size_t size;
    scarlet_status status = read_stdin(&data, &size, err);
    if (status == SCARLET_OK) {
        scarlet_error inner;
        status = scarlet_image_decode(data, size, opts, out, &inner);
        if (status != SCARLET_OK) { /* the library calls what it decodes "memory" */
            const char *text =
                strncmp(inner.message, "memory: ", 8) == 0 ? inner.message + 8 : inner.message;
            fail(err, status, "standard input: %s", text);
        }
    }
    free(data);
    return status;
}
