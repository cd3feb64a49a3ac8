#include "folders.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/message.h"
#include "common/text.h"
#include "kind.h"
#include "walk.h"

/* ---- sub-folders ---- */

typedef struct subfolders {
    char **names;
    size_t count;
} subfolders;

static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    return cli_format("%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/", name);
}

/* Links to folders count. What cannot be looked at counts if it may be a folder: it is not to be
 * left out silently. */
static bool may_be_folder(const char *path, const struct dirent *entry)
{
    struct stat st;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode);
    return entry->d_type == DT_DIR || (entry->d_type == DT_LNK && errno != ENOENT);
}

static int by_name(const void *a, const void *b)
{
    return by_code_points(*(char *const *)a, *(char *const *)b);
}

/* Sorted. */
static subfolders list_folders(const char *path)
{
    DIR *dir = opendir(path);
    if (!dir)
        cli_refuse_errno(path);
    subfolders all = {0};
    struct dirent *entry;
    while ((errno = 0, entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *full = join(path, entry->d_name);
        if (may_be_folder(full, entry)) {
            all.names = cli_grow(all.names, all.count, sizeof *all.names);
            all.names[all.count++] = cli_format("%s", entry->d_name);
        }
        free(full);
    }
    if (errno)
        cli_refuse_errno(path);
    closedir(dir);
    if (all.count)
        qsort(all.names, all.count, sizeof *all.names, by_name);
    return all;
}

static void subfolders_free(subfolders *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->names[i]);
    free(all->names);
}

bool has_folders(const char *path)
{
    subfolders all = list_folders(path);
    bool has = all.count > 0;
    subfolders_free(&all);
    return has;
}

char *validation_folder(const char *root)
{
    static const char *const names[] = {"valid", "val", "validation", "test"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = join(root, names[i]);
        if (is_folder(path) && has_folders(path))
            return path;
        free(path);
    }
    return cli_format("%s", root);
}

/* ---- classes ---- */

/* As ImageFolder sorts: by folder, then by name. */
static int by_folder(const void *a, const void *b)
{
    const char *x = ((const found *)a)->path, *y = ((const found *)b)->path;
    const char *p = strrchr(x, '/'), *q = strrchr(y, '/');
    if (p - x == q - y && memcmp(x, y, (size_t)(p - x)) == 0)
        return by_code_points(p, q);
    char *folder_x = cli_format("%.*s", (int)(p - x), x);
    char *folder_y = cli_format("%.*s", (int)(q - y), y);
    int order = by_code_points(folder_x, folder_y);
    free(folder_x);
    free(folder_y);
    return order;
}

size_t cli_inputs_add_classes(cli_inputs *inputs, const char *root, class_rules *rules)
{
    const picture_choice choice = {is_image_folder_picture, by_folder, "a class without pictures"};
    subfolders all = list_folders(root);
    size_t count = all.count;
    int64_t *class_ids = cli_alloc(count, sizeof *class_ids);
    for (size_t i = 0; i < count; i++)
        class_ids[i] = (int64_t)i;
    if (rules)
        class_folders_map(rules, root, all.names, count, class_ids);
    for (size_t i = 0; i < count; i++) {
        char *folder = join(root, all.names[i]);
        cli_inputs_add_below(inputs, folder, &choice, class_ids[i]);
        free(folder);
    }
    free(class_ids);
    subfolders_free(&all);
    return count;
}
