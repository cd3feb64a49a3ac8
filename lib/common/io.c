#include "common/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "common/memory.h"

static scarlet_status irregular(const char *path, const struct stat *st, scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_IO, "%s: %s, not a regular file", path,
                         S_ISDIR(st->st_mode) ? "a directory" : "a pipe or device");
}

scarlet_status scarlet__source_open(const char *path, scarlet__source *out, scarlet_error *err)
{
    *out = (scarlet__source){.fd = -1, .name = path};
    /* O_NONBLOCK: opening a FIFO without a writer must not hang. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return scarlet__fail_errno(err, errno, "%s", path);
    struct stat st;
    if (fstat(fd, &st) != 0) {
        int code = errno;
        close(fd);
        return scarlet__fail_errno(err, code, "%s", path);
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        return irregular(path, &st, err);
    }
    out->fd = fd;
    out->size = (uint64_t)st.st_size;
    return SCARLET_OK;
}

void scarlet__source_memory(const void *data, size_t size, scarlet__source *out)
{
    *out = (scarlet__source){.fd = -1, .memory = data, .size = size, .name = SCARLET__IN_MEMORY};
}

void scarlet__source_close(scarlet__source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

static scarlet_status ends(const scarlet__source *source, uint64_t at, uint64_t offset, size_t size,
                           scarlet_error *err)
{
    return scarlet__fail(
        err, SCARLET_ERROR_CORRUPT,
        "%s: cut short: it ends at byte %llu, where %llu bytes are needed at byte %llu",
        source->name, (unsigned long long)at, (unsigned long long)size, (unsigned long long)offset);
}

scarlet_status scarlet__source_read(const scarlet__source *source, uint64_t offset, void *out,
                                    size_t size, scarlet_error *err)
{
    if (offset > source->size || size > source->size - offset)
        return ends(source, source->size, offset, size, err);
    if (source->fd < 0) {
        if (size)
            memcpy(out, source->memory + offset, size);
        return SCARLET_OK;
    }
    size_t done = 0;
    while (done < size) {
        size_t want = size - done < (1u << 30) ? size - done : 1u << 30;
        ssize_t got = pread(source->fd, (char *)out + done, want, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return scarlet__fail_errno(err, errno, "%s", source->name);
        if (got == 0) /* the file shrank while it was read */
            return ends(source, offset + done, offset, size, err);
        done += (size_t)got;
    }
    return SCARLET_OK;
}

scarlet_status scarlet__window_read(scarlet__window *w, uint64_t offset, void *out, size_t size,
                                    scarlet_error *err)
{
    const uint64_t left = offset < w->end ? w->end - offset : 0;
    if (size == 0 || size >= sizeof w->bytes || size > left)
        return scarlet__source_read(w->source, offset, out, size, err);
    if (offset < w->at || offset + size > w->at + w->size) {
        const size_t most = left < sizeof w->bytes ? (size_t)left : sizeof w->bytes;
        w->size = 0;
        scarlet_status status = scarlet__source_read(w->source, offset, w->bytes, most, err);
        if (status != SCARLET_OK)
            return status;
        w->at = offset;
        w->size = most;
    }
    memcpy(out, w->bytes + (offset - w->at), size);
    return SCARLET_OK;
}

scarlet_status scarlet__source_read_all(const scarlet__source *source, uint64_t limit,
                                        uint8_t **data, size_t *size, scarlet_error *err)
{
    *data = NULL;
    *size = 0;
    if (source->size > limit)
        return scarlet__fail(err, SCARLET_ERROR_LIMIT, "%s: %llu bytes, at most %llu are read",
                             source->name, (unsigned long long)source->size,
                             (unsigned long long)limit);
    uint8_t *block = scarlet__alloc((size_t)source->size, 1);
    if (!block)
        return scarlet__fail_memory(err);
    scarlet_status status = scarlet__source_read(source, 0, block, (size_t)source->size, err);
    if (status != SCARLET_OK) {
        scarlet__free(block);
        return status;
    }
    *data = block;
    *size = (size_t)source->size;
    return SCARLET_OK;
}

/* Replaces *path, a symbolic link, by what it names. 0, or an errno. */
static int follow_once(char **path)
{
    char link[PATH_MAX];
    ssize_t length = readlink(*path, link, sizeof link);
    if (length < 0)
        return errno;
    if ((size_t)length == sizeof link)
        return ENAMETOOLONG;
    const char *slash = link[0] == '/' ? NULL : strrchr(*path, '/');
    size_t folder = slash ? (size_t)(slash - *path) + 1 : 0;
    char *next = scarlet__alloc(folder + (size_t)length + 1, 1);
    if (!next)
        return ENOMEM;
    memcpy(next, *path, folder);
    memcpy(next + folder, link, (size_t)length);
    next[folder + (size_t)length] = '\0';
    scarlet__free(*path);
    *path = next;
    return 0;
}

/* Replaces *path by the file it leads to, which need not exist. 0, or an errno. */
static int follow(char **path)
{
    enum { LINKS_MAX = 40 }; /* as Linux */
    for (int i = 0; i < LINKS_MAX; i++) {
        int code = follow_once(path);
        if (code) /* no link any more */
            return code == EINVAL || code == ENOENT ? 0 : code;
    }
    return ELOOP;
}

/* Makes the temporary file, with the mode and, where that is allowed, the owner of an old target.
 */
static int make_temporary(scarlet__output *out, size_t room, const struct stat *old)
{
    int code = EEXIST;
    for (unsigned i = 0; i < 100 && code == EEXIST; i++) {
        snprintf(out->temporary, room, "%s.%ld-%u.tmp", out->target, (long)getpid(), i);
        out->fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, old ? 0600 : 0666);
        code = out->fd < 0 ? errno : 0;
    }
    if (code) {
        scarlet__free(out->temporary);
        out->temporary = NULL; /* not ours to remove */
        return code;
    }
    if (old && fchown(out->fd, old->st_uid, old->st_gid) != 0)
        errno = 0; /* then it is the caller's */
    return old && fchmod(out->fd, old->st_mode & 07777) != 0 ? errno : 0;
}

scarlet_status scarlet__output_open(const char *target, scarlet__output *out, scarlet_error *err)
{
    *out = (scarlet__output){.fd = -1};
    struct stat st; /* a device must not give way to a file, even where root may do that */
    const bool exists = stat(target, &st) == 0;
    if (exists && !S_ISREG(st.st_mode))
        return irregular(target, &st, err);
    out->target = scarlet__strdup(target);
    int code = out->target ? follow(&out->target) : ENOMEM;
    const size_t room = code ? 0 : strlen(out->target) + 32;
    if (!code)
        out->temporary = scarlet__alloc(room, 1);
    if (code == ENOMEM || (!code && !out->temporary)) {
        scarlet__output_abandon(out);
        return scarlet__fail_memory(err);
    }
    if (!code)
        code = make_temporary(out, room, exists ? &st : NULL);
    if (code) {
        scarlet__output_abandon(out);
        return scarlet__fail_errno(err, code, "%s", target);
    }
    return SCARLET_OK;
}

void scarlet__output_memory(scarlet__output *out)
{
    *out = (scarlet__output){.fd = -1};
}

static scarlet_status collect(scarlet__output *output, const void *data, size_t size,
                              scarlet_error *err)
{
    size_t wanted = output->capacity;
    while (size > wanted - output->size) {
        if (wanted > SIZE_MAX / 4)
            return scarlet__fail_memory(err);
        wanted = wanted ? 2 * wanted : 4096;
    }
    if (wanted > output->capacity) {
        uint8_t *grown = scarlet__realloc(output->data, wanted, 1);
        if (!grown)
            return scarlet__fail_memory(err);
        output->data = grown;
        output->capacity = wanted;
    }
    memcpy(output->data + output->size, data, size);
    output->size += size;
    return SCARLET_OK;
}

scarlet_status scarlet__output_write(scarlet__output *output, const void *data, size_t size,
                                     scarlet_error *err)
{
    if (!output->target)
        return collect(output, data, size, err);
    size_t done = 0;
    while (done < size) {
        ssize_t put = write(output->fd, (const char *)data + done, size - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return scarlet__fail_errno(err, errno, "%s", output->target);
        done += (size_t)put;
    }
    return SCARLET_OK;
}

scarlet_status scarlet__output_commit(scarlet__output *output, scarlet_error *err)
{
    int code = 0;
    if (fsync(output->fd) != 0)
        code = errno;
    if (close(output->fd) != 0 && !code)
        code = errno;
    output->fd = -1;
    if (!code && rename(output->temporary, output->target) != 0)
        code = errno;
    scarlet_status status =
        code ? scarlet__fail_errno(err, code, "%s", output->target) : SCARLET_OK;
    if (!code) {
        scarlet__free(output->temporary);
        output->temporary = NULL;
    }
    scarlet__output_abandon(output);
    return status;
}

void scarlet__output_abandon(scarlet__output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    if (output->temporary)
        unlink(output->temporary);
    scarlet__free(output->temporary);
    scarlet__free(output->target);
    scarlet__free(output->data);
    *output = (scarlet__output){.fd = -1};
}

/* Whether it is "TARGET.PID-N.tmp" of a process that is no more. */
static bool is_left_over(const char *name, const char *target)
{
    size_t n = strlen(target);
    long pid;
    unsigned number;
    int end = 0;
    return strncmp(name, target, n) == 0 &&
           sscanf(name + n, ".%ld-%u.tmp%n", &pid, &number, &end) == 2 && end > 0 &&
           !name[n + (size_t)end] && pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

void scarlet__output_sweep(const char *target)
{
    const char *slash = strrchr(target, '/'), *name = slash ? slash + 1 : target;
    char *folder = slash ? scarlet__strndup(target, (size_t)(name - target)) : NULL;
    DIR *dir = slash && !folder ? NULL : opendir(folder ? folder : ".");
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (is_left_over(entry->d_name, name))
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    scarlet__free(folder);
}
