#include "source.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"

struct source {
    FILE *file; /* NULL: stdin */
    dev_t device;
    ino_t inode;
    source *next;
    size_t size, taken; /* of the head */
    char head[SOURCE_HEAD];
};

static source standard;
static source *opened; /* those that have a path */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static FILE *file_of(const source *s)
{
    return s->file ? s->file : stdin;
}

static source *among_opened(const struct stat *st)
{
    for (source *s = opened; s; s = s->next)
        if (s->device == st->st_dev && s->inode == st->st_ino)
            return s;
    return NULL;
}

static void put(source *s, const struct stat *st)
{
    s->device = st->st_dev;
    s->inode = st->st_ino;
    pthread_mutex_lock(&lock);
    s->next = opened;
    opened = s;
    pthread_mutex_unlock(&lock);
}

source *source_find(const char *path)
{
    struct stat st;
    if (strcmp(path, "-") == 0)
        return &standard;
    pthread_mutex_lock(&lock);
    source *found = opened && stat(path, &st) == 0 ? among_opened(&st) : NULL;
    pthread_mutex_unlock(&lock);
    return found;
}

source *source_open(const char *path)
{
    struct stat st, in;
    source *s = source_find(path);
    if (s || stat(path, &st) != 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
        return s;
    FILE *file = NULL;
    bool is_stdin =
        fstat(STDIN_FILENO, &in) == 0 && in.st_dev == st.st_dev && in.st_ino == st.st_ino;
    if (!is_stdin && !(file = fopen(path, "rb")))
        return NULL;
    s = is_stdin ? &standard : cli_alloc(1, sizeof *s);
    s->file = file;
    put(s, &st);
    return s;
}

size_t source_peek(source *s, const char **head)
{
    pthread_mutex_lock(&lock);
    if (!s->size)
        s->size = fread(s->head, 1, SOURCE_HEAD, file_of(s));
    pthread_mutex_unlock(&lock);
    *head = s->head;
    return s->size;
}

size_t source_read(source *s, void *to, size_t size)
{
    pthread_mutex_lock(&lock);
    size_t left = s->size - s->taken;
    size = left && size > left ? left : size;
    memcpy(to, s->head + s->taken, left ? size : 0);
    s->taken += left ? size : 0;
    pthread_mutex_unlock(&lock);
    return left ? size : fread(to, 1, size, file_of(s));
}

bool source_failed(const source *s)
{
    return ferror(file_of(s)) != 0;
}
