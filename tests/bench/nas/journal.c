#include "bench.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first cells of a row; commas within quotes do not count. NULL: the row has fewer. */
static char *key_of(const char *row, int cells)
{
    bool quoted = false;
    for (const char *p = row; *p; p++) {
        quoted ^= *p == '"';
        if (*p == ',' && !quoted && --cells == 0)
            return strndup(row, (size_t)(p - row));
    }
    return NULL;
}

static void remember(journal *j, char *key)
{
    if (j->count == j->capacity) {
        j->capacity = 2 * j->capacity + 64;
        j->key = realloc(j->key, j->capacity * sizeof *j->key);
        if (!j->key)
            fail("no memory");
    }
    j->key[j->count++] = key;
}

static void read_keys(journal *j, const char *path)
{
    FILE *file = fopen(path, "r");
    char *row = NULL;
    size_t room = 0;
    if (!file)
        fail("%s", path);
    for (ssize_t n = 0, number = 0; (n = getline(&row, &room, file)) > 0; number++) {
        char *key = number && row[n - 1] == '\n' ? key_of(row, j->cells) : NULL;
        if (key)
            remember(j, key);
    }
    free(row);
    fclose(file);
}

/* Cuts off a row that was not completely written. */
static void cut(FILE *file)
{
    long end = 0;
    rewind(file);
    for (int c; (c = getc(file)) != EOF;)
        if (c == '\n')
            end = ftell(file);
    if (ftruncate(fileno(file), end) != 0)
        fail("a table cannot be cut");
    fseek(file, 0, SEEK_END);
}

static void sync_file(FILE *file)
{
    if (fflush(file) != 0 || fsync(fileno(file)) != 0)
        fail("a table cannot be written");
}

void journal_open(journal *j, const task *t, const char *name, int cells, const char *columns)
{
    char path[4096];
    *j = (journal){.cells = cells};
    snprintf(path, sizeof path, "%s/%s-%s-%dof%d.csv", t->folder, name, t->space, t->shard,
             t->shards);
    j->file = fopen(path, "a+");
    if (!j->file)
        fail("%s", path);
    cut(j->file);
    if (ftell(j->file) == 0)
        fprintf(j->file, "%s\n", columns);
    sync_file(j->file);
    snprintf(path, sizeof path, "%s/%s-%s-*of*.csv", t->folder, name, t->space);
    glob_t found;
    if (glob(path, 0, NULL, &found) != 0)
        fail("%s", path);
    for (size_t i = 0; i < found.gl_pathc; i++)
        read_keys(j, found.gl_pathv[i]);
    globfree(&found);
    errno = 0;
}

bool journal_has(const journal *j, const char *key)
{
    for (size_t i = 0; i < j->count; i++)
        if (strcmp(j->key[i], key) == 0)
            return true;
    return false;
}

void journal_add(journal *j, const char *key, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(j->file, "%s,", key);
    vfprintf(j->file, format, list);
    putc('\n', j->file);
    va_end(list);
    sync_file(j->file);
    char *copy = strdup(key);
    if (!copy)
        fail("no memory");
    remember(j, copy);
}

void journal_close(journal *j)
{
    for (size_t i = 0; i < j->count; i++)
        free(j->key[i]);
    free(j->key);
    fclose(j->file);
}
