#include "message.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "progress.h"
#include "status.h"
#include "text.h"

/* Length of the character at s if a terminal shows it; 0 for a control character, of C1 too, and
 * for what is not UTF-8. */
static size_t shown(const unsigned char *s)
{
    size_t length = utf8_length(s);
    bool c1 = s[0] == 0xC2 && s[1] < 0xA0;
    return (length == 1 && iscntrl(*s)) || (length == 2 && c1) ? 0 : length;
}

void cli_put(FILE *out, const char *text)
{
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = shown(s);
        if (length)
            fwrite(s, 1, length, out);
        else
            fputc('?', out);
        s += length ? length : 1;
    }
}

void cli_message(const char *who, const char *format, va_list args)
{
    char *text = cli_vformat(format, args);
    progress_hide();
    fflush(stdout);
    fprintf(stderr, "%s: ", who);
    cli_put(stderr, text);
    fputc('\n', stderr);
    free(text);
}

void cli_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    cli_message("scarlet", format, args);
    va_end(args);
}

void cli_refuse(const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = cli_vformat(format, args);
    va_end(args);
    cli_error("%s: %s", path, text);
    free(text);
    exit(INPUT_FAILED);
}

void cli_refuse_errno(const char *path)
{
    cli_refuse(path, "%s", strerror(errno));
}

void cli_discard(const char *path)
{
    int code = errno;
    struct stat st;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        unlink(path);
    errno = code;
    cli_refuse_errno(path);
}

int cli_finish(int code)
{
    progress_hide();
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    cli_error("standard output: %s", strerror(errno));
    return code ? code : INPUT_FAILED;
}
