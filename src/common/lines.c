#include "lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

static FILE *open_list(const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!file)
        cli_refuse_errno(path);
    return file;
}

void read_lines(const char *path, void (*line)(void *user, char *text, size_t number), void *user)
{
    FILE *file = open_list(path);
    struct stat st;
    if (fstat(fileno(file), &st) == 0 && S_ISCHR(st.st_mode) && !isatty(fileno(file)))
        cli_refuse(path, "a device, not a list"); /* it might never end */
    char *text = NULL;
    size_t room = 0, number = 0;
    ssize_t length = getdelim(&text, &room, '\n', file);
    int end = length > 0 && memchr(text, '\0', (size_t)length) ? '\0' : '\n';
    if (end == '\0') {
        if (fseek(file, 0, SEEK_SET) != 0)
            cli_refuse(path, "NUL bytes in a list that is a pipe: use a file");
        length = getdelim(&text, &room, '\0', file);
    }
    for (; length > 0; length = getdelim(&text, &room, end, file)) {
        if (text[length - 1] == end)
            text[--length] = '\0';
        if (end == '\n' && length && text[length - 1] == '\r')
            text[--length] = '\0';
        if (end == '\n' && memchr(text, '\0', (size_t)length))
            cli_refuse(path, "a NUL byte in line %zu", number + 1);
        if (length)
            line(user, text, number);
        number++;
    }
    if (ferror(file))
        cli_refuse_errno(path);
    free(text);
    if (file != stdin)
        fclose(file);
}
