#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/message.h"
#include "common/text.h"
#include "kind.h"

/* ---- order ---- */

static int by_name(const void *a, const void *b)
{
    return by_code_points(*(char *const *)a, *(char *const *)b);
}

/* A file below a class: sorted by its folder first, then by its name. */
typedef struct found {
    char *folder, *name;
    const char *error;
} found;

static int by_folder(const void *a, const void *b)
{
    const found *x = a, *y = b;
    int order = by_code_points(x->folder, y->folder);
    return order ? order : by_code_points(x->name, y->name);
}

/* ---- folders ---- */

/* Names of sub-folders, links to folders too, in no order. */
static char **list_folders(const char *path, size_t *count)
{
    DIR *dir = opendir(path);
    if (!dir)
        cli_refuse_errno(path);
    char **names = NULL;
    size_t n = 0;
    struct dirent *entry;
    while ((errno = 0, entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *full = cli_format("%s/%s", path, entry->d_name);
        if (is_folder(full)) {
            names = cli_grow(names, n, sizeof *names);
            names[n++] = cli_format("%s", entry->d_name);
        }
        free(full);
    }
    if (errno)
        cli_refuse_errno(path);
    closedir(dir);
    *count = n;
    return names;
}

bool has_folders(const char *path)
{
    size_t count;
    char **names = list_folders(path, &count);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    return count > 0;
}

static found *walk(char *class_folder, size_t *count)
{
    char *const roots[] = {class_folder, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    if (!tree)
        cli_refuse_errno(class_folder);
    found *files = NULL;
    size_t n = 0;
    FTSENT *entry;
    while ((errno = 0, entry = fts_read(tree))) {
        const char *error = NULL;
        if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
            error = strerror(entry->fts_errno);
        else if (entry->fts_info == FTS_DC)
            error = "a link to a folder above it";
        else if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP ||
                 !is_picture(entry->fts_name))
            continue;
        files = cli_grow(files, n, sizeof *files);
        const char *name = strrchr(entry->fts_path, '/') + 1;
        files[n++] = (found){cli_format("%.*s", (int)(name - 1 - entry->fts_path), entry->fts_path),
                             cli_format("%s", name), error};
    }
    if (errno)
        cli_refuse_errno(class_folder);
    fts_close(tree);
    if (n)
        qsort(files, n, sizeof *files, by_folder);
    *count = n;
    return files;
}

static void add_class(cli_inputs *inputs, char *folder, int64_t label)
{
    size_t count;
    found *files = walk(folder, &count);
    if (!count)
        cli_refuse(folder, "a class without pictures");
    for (size_t i = 0; i < count; i++) {
        char *path = cli_format("%s/%s", files[i].folder, files[i].name);
        cli_inputs_append(inputs, path, files[i].error, label);
        free(path);
        free(files[i].folder);
        free(files[i].name);
    }
    free(files);
}

size_t cli_inputs_add_classes(cli_inputs *inputs, const char *root)
{
    size_t count;
    char **names = list_folders(root, &count);
    if (count)
        qsort(names, count, sizeof *names, by_name);
    size_t length = strlen(root);
    const char *slash = length && root[length - 1] == '/' ? "" : "/";
    for (size_t i = 0; i < count; i++) {
        char *folder = cli_format("%s%s%s", root, slash, names[i]);
        add_class(inputs, folder, (int64_t)i);
        free(folder);
        free(names[i]);
    }
    free(names);
    return count;
}
