#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "pictures.h"

/* What is inside decides later. */
bool is_picture(const char *name)
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

bool is_archive(const char *path)
{
    static const char *const endings[] = {".tar",    ".tar.gz",  ".tgz",
                                          ".tar.xz", ".tar.zst", ".tar.bz2"};
    enum { MAGIC = 257, HEAD = MAGIC + 5 }; /* where POSIX and GNU write "ustar" */
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t end = strlen(endings[i]);
        if (length >= end && strcasecmp(path + length - end, endings[i]) == 0)
            return true;
    }
    struct stat st;
    char head[HEAD];
    FILE *file = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
    bool tar = file && fread(head, 1, HEAD, file) == HEAD && memcmp(head + MAGIC, "ustar", 5) == 0;
    if (file)
        fclose(file);
    return tar;
}

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
        bool archive = strcmp(path, "-") != 0 && is_archive(path);
        inputs->item[inputs->count - 1].archive = archive;
        inputs->archives |= archive;
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
