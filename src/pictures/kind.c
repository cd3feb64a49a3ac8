#include "kind.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"

static bool ends_with_one_of(const char *name, const char *const *endings)
{
    for (; *endings; endings++)
        if (ends_with_any_case(name, *endings))
            return true;
    return false;
}

bool is_picture(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".ppm",  ".bmp",
                                          ".pgm", ".tif",  ".tiff", ".webp", NULL};
    return ends_with_one_of(name, endings);
}

bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_named_archive(const char *path)
{
    static const char *const endings[] = {".tar",     ".tar.gz",  ".tgz", ".tar.xz",
                                          ".tar.zst", ".tar.bz2", NULL};
    return ends_with_one_of(path, endings);
}

static bool begins_as_tar(const char *path)
{
    enum { MAGIC = 257, HEAD = MAGIC + 5 }; /* where POSIX and GNU write "ustar" */
    char head[HEAD];
    FILE *file = fopen(path, "rb");
    bool tar = file && fread(head, 1, HEAD, file) == HEAD && memcmp(head + MAGIC, "ustar", 5) == 0;
    if (file)
        fclose(file);
    return tar;
}

input_kind input_kind_of(const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return INPUT_STDIN;
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return INPUT_FOLDER;
    if (is_named_archive(path) || (there && S_ISREG(st.st_mode) && begins_as_tar(path)))
        return INPUT_ARCHIVE;
    return is_picture(path) ? INPUT_PICTURE : INPUT_FILE;
}
