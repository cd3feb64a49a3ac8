#include "picture.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/source.h"
#include "common/text.h"
#include "common/whole.h"

void cli_picture_free(cli_picture *picture)
{
    free(picture->name);
    free(picture->data);
    free(picture->error);
    free(picture->class_name);
    *picture = (cli_picture){0};
}

__attribute__((format(printf, 3, 4))) static scarlet_status
fail(scarlet_error *err, scarlet_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->status = status;
    return status;
}

/* "name: text"; what is too long of it is left out of the middle of the name. */
static scarlet_status fail_with(scarlet_error *err, scarlet_status status, const char *name,
                                const char *text)
{
    size_t room = sizeof err->message - 3, length = strlen(text);
    char *own = shorten(name, length + 32 < room ? room - length : 32);
    fail(err, status, "%s: %s", own, text);
    free(own);
    return status;
}

/* Messages say `name` where the library says "data in memory". */
static scarlet_status decode(const char *name, const char *data, size_t size,
                             const scarlet_options *opts, scarlet_image **out, scarlet_error *err)
{
    scarlet_error inner;
    scarlet_status status = scarlet_image_decode(data, size, opts, out, &inner);
    if (status == SCARLET_OK)
        return status;
    static const char prefix[] = "data in memory: "; /* the library's name for bytes */
    size_t length = sizeof prefix - 1;
    const char *text = inner.message;
    if (strncmp(text, prefix, length) == 0)
        text += length;
    return fail_with(err, status, name, text);
}

scarlet_status cli_load(const cli_picture *picture, const scarlet_options *opts,
                        scarlet_image **out, scarlet_error *err)
{
    *out = NULL;
    if (picture->error)
        return fail_with(err, SCARLET_ERROR_IO, picture->name, picture->error);
    if (picture->data)
        return decode(picture->name, picture->data, picture->size, opts, out, err);
    if (!source_find(picture->name))
        return scarlet_image_load(picture->name, opts, out, err);
    char *data;
    size_t size;
    const char *name = strcmp(picture->name, "-") == 0 ? "standard input" : picture->name;
    int error = read_whole(picture->name, &data, &size);
    if (error == EFBIG)
        return fail(err, SCARLET_ERROR_LIMIT, "%s: more than %d bytes", name, WHOLE_MAX);
    if (error)
        return fail(err, SCARLET_ERROR_IO, "%s: %s", name, strerror(error));
    scarlet_status status = decode(name, data, size, opts, out, err);
    free(data);
    return status;
}
