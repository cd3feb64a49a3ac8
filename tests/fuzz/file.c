#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

const char *fuzz_file(int which, const uint8_t *data, size_t size)
{
    static struct {
        int fd;
        char path[32];
    } files[2];
    if (!files[which].fd) {
        files[which].fd = memfd_create("fuzz", MFD_CLOEXEC);
        MUST(files[which].fd > 0);
        snprintf(files[which].path, sizeof files[which].path, "/proc/self/fd/%d", files[which].fd);
    }
    int fd = files[which].fd;
    MUST(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    return files[which].path;
}
