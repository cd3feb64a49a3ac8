#include "skipped.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/message.h"
#include "scarlet/scarlet.h"

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void skipped_add(skipped *s, const char *head, size_t size)
{
    const char *kind = scarlet_image_kind(head, size);
    size_t i = 0;
    while (i < s->kinds_count && !same(s->kinds[i].kind, kind))
        i++;
    if (i == SKIPPED_KINDS)
        return;
    s->kinds_count += i == s->kinds_count;
    s->kinds[i].kind = kind;
    s->kinds[i].files++;
    s->files++;
}

void skipped_add_file(skipped *s, const char *path)
{
    enum { HEAD = 512 };
    char head[HEAD];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may be a pipe */
    ssize_t size = fd < 0 ? 0 : read(fd, head, HEAD);
    if (fd >= 0)
        close(fd);
    skipped_add(s, head, size > 0 ? (size_t)size : 0);
}

/* The most frequent first, then by name; what is not a picture last. */
static int by_files(const void *a, const void *b)
{
    const struct skipped_kind *x = a, *y = b;
    if (!x->kind != !y->kind)
        return !x->kind - !y->kind;
    if (x->files != y->files)
        return x->files < y->files ? 1 : -1;
    return x->kind ? strcmp(x->kind, y->kind) : 0;
}

void skipped_report(const skipped *s)
{
    if (!s->files)
        return;
    skipped sorted = *s;
    qsort(sorted.kinds, sorted.kinds_count, sizeof *sorted.kinds, by_files);
    char *text = NULL;
    size_t length;
    FILE *memory = cli_memory(&text, &length);
    for (size_t i = 0; i < sorted.kinds_count; i++) {
        const char *kind = sorted.kinds[i].kind;
        fprintf(memory, "%s%zu %s", i ? ", " : "", sorted.kinds[i].files, kind ? kind : "other");
    }
    fclose(memory);
    cli_error("%zu file%s skipped: %s", s->files, s->files == 1 ? "" : "s", text);
    free(text);
}
