#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pictures.h"

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
        cli_refuse(path, "a device, not a list"); /* it need not end */
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

int64_t cut_label(char *text)
{
    enum { DIGITS_MAX = 9 };
    char *end = text + strlen(text), *digits = end;
    while (digits > text && isdigit((unsigned char)digits[-1]))
        digits--;
    char *name_end = digits;
    while (name_end > text && (name_end[-1] == ' ' || name_end[-1] == '\t'))
        name_end--;
    if (digits == end || end - digits > DIGITS_MAX || name_end == digits || name_end == text)
        return NO_LABEL;
    *name_end = '\0';
    return strtol(digits, NULL, 10);
}

typedef struct list {
    cli_inputs *inputs;
    const char *path;
    bool labels;
} list;

static void add_line(void *user, char *text, size_t number)
{
    const list *l = user;
    (void)number;
    int64_t label = l->labels ? cut_label(text) : NO_LABEL;
    const char *slash = strrchr(l->path, '/');
    char *path = *text == '/' || !slash
                     ? cli_format("%s", text)
                     : cli_format("%.*s%s", (int)(slash + 1 - l->path), l->path, text);
    cli_inputs_append(l->inputs, path, NULL, label);
    free(path);
}

void cli_inputs_add_list(cli_inputs *inputs, const char *path, bool labels)
{
    list l = {inputs, path, labels};
    read_lines(path, add_line, &l);
}
