#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"

/* A folder, and those above it: of the walk, then of the file system. */
typedef struct level {
    const struct level *above;
    dev_t device;
    ino_t inode;
} level;

typedef struct walk {
    bool (*takes)(const char *name);
    found *all;
    size_t count;
    skipped *skipped;
} walk;

static void put(walk *w, const char *path, const char *error)
{
    w->all = cli_grow(w->all, w->count, sizeof *w->all);
    w->all[w->count++] = (found){cli_format("%s", path), error};
}

/* Names in a folder, read before any of them is looked at: few folders are open at a time. Returns
 * a value of errno. */
static int read_names(const char *path, char ***names, size_t *count)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    *names = NULL;
    *count = 0;
    if (!dir)
        return errno;
    while ((errno = 0, entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        *names = cli_grow(*names, *count, sizeof **names);
        (*names)[(*count)++] = cli_format("%s", entry->d_name);
    }
    int error = errno;
    closedir(dir);
    return error;
}

static bool is_above(const level *levels, const struct stat *folder)
{
    for (; levels; levels = levels->above)
        if (levels->device == folder->st_dev && levels->inode == folder->st_ino)
            return true;
    return false;
}

static void visit_folder(walk *w, const char *path, const level *own);

static void visit(walk *w, const char *path, const char *name, const level *above)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) {
        const level own = {above, st.st_dev, st.st_ino};
        if (is_above(above, &st))
            put(w, path, "a link to a folder above it");
        else
            visit_folder(w, path, &own);
    } else if (!there && errno != ENOENT) {
        put(w, path, strerror(errno));
    } else if (w->takes(name)) {
        put(w, path, NULL); /* dangling links and pipes are reported on loading */
    } else {
        skipped_add_file(w->skipped, path);
    }
}

static void visit_folder(walk *w, const char *path, const level *own)
{
    char **names;
    size_t count, length = strlen(path);
    int error = read_names(path, &names, &count);
    if (error)
        put(w, path, strerror(error));
    for (size_t i = 0; i < count; i++) {
        char *full =
            cli_format("%s%s%s", path, length && path[length - 1] == '/' ? "" : "/", names[i]);
        visit(w, full, names[i], own);
        free(full);
        free(names[i]);
    }
    free(names);
}

/* The folders above one, from that of this path on, up to the root of the file system. */
static void visit_below(walk *w, const char *root, char *path, const level *above)
{
    struct stat st;
    if (!*path || stat(path, &st) != 0) {
        visit_folder(w, root, above);
        return;
    }
    const level own = {above, st.st_dev, st.st_ino};
    char *slash = strrchr(path, '/');
    slash[slash == path && slash[1]] = '\0'; /* "/" is above "/home" */
    visit_below(w, root, path, &own);
}

found *walk_pictures(const char *root, bool (*takes)(const char *name), size_t *count,
                     skipped *others)
{
    walk w = {.takes = takes, .skipped = others};
    char *path = realpath(root, NULL);
    visit_below(&w, root, path ? path : (char[1]){""}, NULL);
    free(path);
    *count = w.count;
    return w.all;
}
