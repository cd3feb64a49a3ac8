#include "alloc.h"

#include <stdlib.h>

#include "progress.h"
#include "status.h"

void cli_out_of_memory(void)
{
    progress_hide();
    fflush(stdout);
    fputs("scarlet: out of memory\n", stderr);
    exit(INPUT_FAILED);
}

char *cli_vformat(const char *format, va_list args)
{
    char *text;
    if (vasprintf(&text, format, args) < 0)
        cli_out_of_memory();
    return text;
}

char *cli_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = cli_vformat(format, args);
    va_end(args);
    return text;
}

void *cli_alloc(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size);
    if (!block)
        cli_out_of_memory();
    return block;
}

void *cli_resize(void *block, size_t size)
{
    void *resized = realloc(block, size ? size : 1);
    if (!resized)
        cli_out_of_memory();
    return resized;
}

FILE *cli_memory(char **text, size_t *length)
{
    FILE *memory = open_memstream(text, length);
    if (!memory)
        cli_out_of_memory();
    return memory;
}

void *cli_grow(void *array, size_t count, size_t size)
{
    if (count && (count & (count - 1))) /* full at 0 and at every power of two */
        return array;
    void *grown = reallocarray(array, count ? 2 * count : 1, size);
    if (!grown)
        cli_out_of_memory();
    return grown;
}
