#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "whole.h"

void cut_blanks(char *text)
{
    size_t length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
}

/* A device need not end. */
static void refuse_device(const char *path)
{
    struct stat st;
    int failed = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(path, &st);
    if (!failed && S_ISCHR(st.st_mode) && !(strcmp(path, "-") == 0 && isatty(STDIN_FILENO)))
        cli_refuse(path, "a device, not a list");
}

static char *read_text(const char *path, char **data, size_t *size)
{
    refuse_device(path);
    int error = read_whole(path, data, size);
    if (error == EFBIG)
        cli_refuse(path, "more than %d bytes", WHOLE_MAX);
    if (error)
        cli_refuse(path, "%s", strerror(error));
    if (*size >= 2 && (memcmp(*data, "\xFF\xFE", 2) == 0 || memcmp(*data, "\xFE\xFF", 2) == 0))
        cli_refuse(path, "UTF-16 text; UTF-8 is read: convert it first");
    return after_mark(*data);
}

/* What separates lines: NUL bytes if there is one in the first line or at the very end. */
static char separator(const char *text, size_t size)
{
    const char *newline = memchr(text, '\n', size);
    size_t first = newline ? (size_t)(newline - text) : size;
    return size && (memchr(text, '\0', first) || text[size - 1] == '\0') ? '\0' : '\n';
}

void read_lines(const char *path, void (*line)(void *user, char *text, size_t number), void *user)
{
    char *data;
    size_t size;
    char *text = read_text(path, &data, &size), *end = data + size;
    char stop = separator(text, (size_t)(end - text));
    for (size_t number = 0; text < end; number++) {
        char *next = memchr(text, stop, (size_t)(end - text));
        next = next ? next : end;
        size_t length = (size_t)(next - text);
        if (stop && memchr(text, '\0', length))
            cli_refuse(path, "a NUL byte in line %zu", number + 1);
        while (stop && length && text[length - 1] == '\r')
            length--;
        text[length] = '\0'; /* there is room for one at the end */
        if (length)
            line(user, text, number);
        text = next + 1;
    }
    free(data);
}
