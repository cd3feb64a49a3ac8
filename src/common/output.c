#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"

void output_open(output_file *out, const char *path)
{
    *out = (output_file){.file = stdout, .path = path};
    if (strcmp(path, "-") == 0)
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    out->made = fd >= 0;
    if (fd < 0 && errno == EEXIST)
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    out->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!out->file)
        cli_refuse_errno(path);
}

void output_begin(output_file *out)
{
    struct stat st;
    int fd = fileno(out->file);
    if (out->file != stdout && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0) != 0)
        cli_refuse_errno(out->path);
    out->made = false;
}

void output_close(output_file *out)
{
    if (!out->file)
        return;
    bool failed = ferror(out->file);
    if (out->file == stdout ? fflush(stdout) != 0 : fclose(out->file) != 0 || failed)
        cli_discard(out->path);
    *out = (output_file){0};
}

void output_abandon(output_file *out)
{
    if (out->file && out->file != stdout)
        fclose(out->file);
    if (out->made)
        unlink(out->path);
    *out = (output_file){0};
}
