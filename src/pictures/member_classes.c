#include "member_classes.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/message.h"
#include "common/source.h"
#include "common/text.h"
#include "feed.h"
#include "kind.h"
#include "truth.h"

/* ---- one picture ---- */

/* "n01440764.tar" is the folder n01440764. */
static char *folder_name(const char *part, size_t length)
{
    char *name = cli_format("%.*s", (int)length, part);
    char *dot = is_archive_name(name) ? strchr(name + 1, '.') : NULL;
    if (dot)
        *dot = '\0';
    return name;
}

/* Length of the folder or archive that a path begins with; 0: the file itself. */
static size_t first_part(const char *path)
{
    size_t length = strcspn(path, "/:");
    return path[length] ? length : 0;
}

int64_t class_of_member(class_rules *rules, const char *member)
{
    for (size_t length; (length = strcspn(member, "/:")), member[length]; member += length + 1) {
        char *name = folder_name(member, length);
        int64_t class_id = length ? class_of_folder(rules, name) : NO_CLASS;
        free(name);
        if (class_id != NO_CLASS)
            return class_id;
    }
    return NO_CLASS;
}

/* ---- folders in sorted order ---- */

typedef struct folders {
    char **paths; /* of pictures, without the last part */
    size_t count;
} folders;

static bool none(const void *user, size_t index)
{
    (void)user, (void)index;
    return false;
}

static void add_folder(folders *all, const char *member)
{
    size_t length = strlen(member);
    while (length && !strchr("/:", member[length - 1]))
        length--;
    while (strncmp(member, "./", 2) == 0 && length >= 2) {
        member += 2;
        length -= 2;
    }
    if (all->count && strncmp(all->paths[all->count - 1], member, length) == 0 &&
        !all->paths[all->count - 1][length])
        return;
    all->paths = cli_grow(all->paths, all->count, sizeof *all->paths);
    all->paths[all->count++] = cli_format("%.*s", (int)length, member);
}

/* False where pictures need no folder: their classes are known otherwise. */
static bool read_archive(folders *all, const cli_input *input)
{
    cli_input item = *input;
    const cli_inputs one = {.item = &item, .count = 1};
    feed f = {.inputs = &one, .wanted = none};
    cli_picture picture;
    bool needed = true;
    while (needed && feed_next(&f, &picture)) {
        needed =
            picture.label == NO_LABEL && !picture.class_name && !validation_number(picture.name);
        if (needed && picture.member)
            add_folder(all, picture.name + picture.member);
        cli_picture_free(&picture);
    }
    feed_close(&f);
    return needed;
}

/* Length of the leading folders that all share. */
static size_t shared(const folders *all)
{
    size_t length = 0;
    for (;;) {
        const char *first = all->paths[0] + length;
        size_t part = first_part(first);
        if (!part)
            return length;
        for (size_t i = 1; i < all->count; i++)
            if (strncmp(all->paths[i] + length, first, part + 1) != 0)
                return length;
        length += part + 1;
    }
}

static int by_name(const void *a, const void *b)
{
    return by_code_points(*(char *const *)a, *(char *const *)b);
}

/* Names of the folders below what all share; NULL if a picture is in none. */
static char **class_names(const folders *all, size_t *count)
{
    size_t begin = all->count ? shared(all) : 0, n = 0;
    char **names = cli_alloc(all->count, sizeof(char *));
    for (size_t i = 0; i < all->count; i++) {
        size_t length = first_part(all->paths[i] + begin);
        if (length)
            names[n++] = folder_name(all->paths[i] + begin, length);
    }
    *count = 0;
    if (n != all->count)
        for (; n > 0; n--)
            free(names[n - 1]);
    if (n == 0)
        return names;
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++)
        if (i && strcmp(names[i], names[*count - 1]) == 0)
            free(names[i]);
        else
            names[(*count)++] = names[i];
    return names;
}

void member_classes_prepare(class_rules *rules, const cli_inputs *inputs)
{
    folders all = {0};
    const char *path = NULL;
    bool needed = true;
    for (size_t i = 0; i < inputs->count && needed; i++) {
        const cli_input *input = &inputs->item[i];
        if (!input->archive)
            continue;
        path = input->path;
        needed = !source_find(path) && read_archive(&all, input);
    }
    size_t count = 0;
    char **names = needed ? class_names(&all, &count) : NULL;
    if (count)
        class_map_set(rules, path, names, count);
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    for (size_t i = 0; i < all.count; i++)
        free(all.paths[i]);
    free(all.paths);
}
