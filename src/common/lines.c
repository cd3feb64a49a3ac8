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

void text_open(text_file *file, const char *path)
{
    refuse_device(path);
    *file = (text_file){.path = path};
    int error = read_whole(path, &file->data, &file->size);
    if (error == EFBIG)
        cli_refuse(path, "more than %d bytes", WHOLE_MAX);
    if (error)
        cli_refuse(path, "%s", strerror(error));
    if (file->size >= 2 &&
        (memcmp(file->data, "\xFF\xFE", 2) == 0 || memcmp(file->data, "\xFE\xFF", 2) == 0))
        cli_refuse(path, "UTF-16 text; UTF-8 is read: convert it first");
    file->text = after_mark(file->data);
    file->size -= (size_t)(file->text - file->data);
}

void text_close(text_file *file)
{
    free(file->data);
}

/* What separates lines: NUL bytes if there is one in the first line or at the very end. */
static char separator(const char *text, size_t size)
{
    const char *newline = memchr(text, '\n', size);
    size_t first = newline ? (size_t)(newline - text) : size;
    return size && (memchr(text, '\0', first) || text[size - 1] == '\0') ? '\0' : '\n';
}

void text_lines(text_file *file, line_callback *line, void *user)
{
    char *text = file->text, *end = text + file->size;
    char stop = separator(text, file->size);
    for (size_t number = 0; text < end; number++) {
        char *next = memchr(text, stop, (size_t)(end - text));
        next = next ? next : end;
        size_t length = (size_t)(next - text);
        if (stop && memchr(text, '\0', length))
            cli_refuse(file->path, "a NUL byte in line %zu", number + 1);
        while (stop && length && text[length - 1] == '\r')
            length--;
        text[length] = '\0'; /* there is room for one at the end */
        if (length)
            line(user, text, number);
        text = next + 1;
    }
}

void read_lines(const char *path, line_callback *line, void *user)
{
    text_file file;
    text_open(&file, path);
    text_lines(&file, line, user);
    text_close(&file);
}
