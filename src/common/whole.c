#include "whole.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "source.h"

int read_whole(const char *path, char **data, size_t *size)
{
    source *once = source_find(path);
    FILE *file = once ? NULL : fopen(path, "rb");
    size_t room = 1 << 16, got = 0;
    int error = 0;
    *data = NULL;
    *size = 0;
    if (!once && !file)
        return errno;
    errno = 0;
    *data = cli_alloc(room + 1, 1);
    do {
        if (*size == room) {
            room *= 2;
            *data = cli_resize(*data, room + 1);
        }
        got = once ? source_read(once, *data + *size, room - *size)
                   : fread(*data + *size, 1, room - *size, file);
        *size += got;
    } while (got && *size <= WHOLE_MAX);
    (*data)[*size] = '\0';
    if (once ? source_failed(once) : ferror(file))
        error = errno ? errno : EIO;
    else if (*size > WHOLE_MAX)
        error = EFBIG;
    if (file)
        fclose(file);
    if (!error)
        return 0;
    free(*data);
    *data = NULL;
    return error;
}

char *after_mark(char *text)
{
    return strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
}
