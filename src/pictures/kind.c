#include "kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/source.h"
#include "common/text.h"
#include "scarlet/scarlet.h"

static bool ends_with_one_of(const char *name, const char *const *endings)
{
    for (; *endings; endings++)
        if (ends_with_any_case(name, *endings))
            return true;
    return false;
}

bool is_image_folder_picture(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".ppm",  ".bmp",
                                          ".pgm", ".tif",  ".tiff", ".webp", NULL};
    return ends_with_one_of(name, endings);
}

bool is_picture(const char *name)
{
    static const char *const endings[] = {
        ".jpe",        ".jfif",      ".jif",       ".jfi",       ".pjpeg",    ".pjp",
        ".jpg_large",  ".jpg_orig",  ".jpg_small", ".jpg:large", ".jpg:orig", ".jpg-large",
        ".jpeg_large", ".png_large", ".png_orig",  ".apng",      NULL};
    return is_image_folder_picture(name) || ends_with_one_of(name, endings);
}

bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool is_archive_name(const char *path)
{
    static const char *const endings[] = {".tar",     ".tar.gz",  ".tgz", ".tar.xz",
                                          ".tar.zst", ".tar.bz2", NULL};
    return ends_with_one_of(path, endings);
}

/* Tar archives older than POSIX have no mark: the sum of a header's bytes is in it, in octal, with
 * blanks in its own place. */
static bool is_header(const char *head, size_t size)
{
    enum { HEADER = 512, SUM = 148, DIGITS = 8 };
    unsigned long sum = 0;
    for (size_t i = 0; i < HEADER && size >= HEADER; i++)
        sum += i >= SUM && i < SUM + DIGITS ? ' ' : (unsigned char)head[i];
    char text[DIGITS + 1] = "", *end;
    memcpy(text, head + SUM, size >= HEADER ? DIGITS : 0);
    return strtoul(text, &end, 8) == sum && end > text;
}

/* What the first bytes of a file make it. */
static input_kind kind_of_bytes(const char *head, size_t size)
{
    static const struct {
        size_t at, size;
        const char *bytes;
        input_kind kind;
    } marks[] = {
        {257, 5, "ustar", INPUT_ARCHIVE}, /* where POSIX and GNU write it */
        {0, 4, "PK\3\4", INPUT_ZIP},
        {0, 4, "PK\5\6", INPUT_ZIP}, /* an empty one */
        {0, 2, "\x1F\x8B", INPUT_ARCHIVE},
        {0, 3, "BZh", INPUT_ARCHIVE},
        {0, 6,
         "\xFD"
         "7zXZ",
         INPUT_ARCHIVE},
        {0, 4, "\x28\xB5\x2F\xFD", INPUT_ARCHIVE},
        {0, 6, "7z\xBC\xAF\x27\x1C", INPUT_7Z},
        {0, 4, "Rar!", INPUT_RAR},
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (size >= marks[i].at + marks[i].size &&
            memcmp(head + marks[i].at, marks[i].bytes, marks[i].size) == 0)
            return marks[i].kind;
    if (is_header(head, size))
        return INPUT_ARCHIVE;
    return scarlet_image_kind(head, size) ? INPUT_PICTURE : INPUT_FILE;
}

static input_kind kind_of_contents(const char *path)
{
    char head[SOURCE_HEAD];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(head, 1, sizeof head, file) : 0;
    if (file)
        fclose(file);
    return kind_of_bytes(head, size);
}

/* A pipe that is named as pictures are is not waited for: it is an error, as in a folder. */
input_kind input_kind_of(const char *path)
{
    struct stat st;
    source *once = is_picture(path) ? source_find(path) : source_open(path);
    if (once) {
        const char *head;
        size_t size = source_peek(once, &head);
        return kind_of_bytes(head, size);
    }
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode))
        return INPUT_FOLDER;
    input_kind kind = there && S_ISREG(st.st_mode) ? kind_of_contents(path) : INPUT_FILE;
    if (kind == INPUT_FILE && is_archive_name(path))
        return INPUT_ARCHIVE;
    return kind == INPUT_FILE && is_picture(path) ? INPUT_PICTURE : kind;
}
