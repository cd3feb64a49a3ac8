#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { BUFFERS_MAX = 64 };
static const unsigned char SLACK = 0xa5;
static const uint32_t MARK = 0x7fc5c0de; /* a quiet NaN */

static struct {
    unsigned char *map, *at;
    size_t pages, bytes;
} buffer[BUFFERS_MAX];
static size_t buffers;

static size_t page(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static unsigned char *map(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        perror("mmap");
        exit(3);
    }
    return at;
}

float *guard_floats(size_t count)
{
    if (buffers == BUFFERS_MAX) {
        fputs("too many guarded buffers\n", stderr);
        exit(3);
    }
    size_t bytes = count * sizeof(float), pages = (bytes + page() - 1) / page();
    unsigned char *m = map((pages + 2) * page()), *at = m + page();
    if (mprotect(at, pages * page(), PROT_READ | PROT_WRITE) != 0) {
        perror("mprotect");
        exit(3);
    }
    memset(at, SLACK, pages * page());
    if (random_below(2))
        at += pages * page() - bytes;
    buffer[buffers].map = m;
    buffer[buffers].at = at;
    buffer[buffers].pages = pages;
    buffer[buffers].bytes = bytes;
    buffers++;
    return (float *)(void *)at;
}

void guard_mark(float *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(at + i, &MARK, sizeof MARK);
}

bool guard_untouched(const float *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(at + i, &MARK, sizeof MARK) != 0)
            return false;
    return true;
}

bool guard_release(void)
{
    bool clean = true;
    while (buffers > 0) {
        buffers--;
        unsigned char *begin = buffer[buffers].map + page(), *at = buffer[buffers].at;
        unsigned char *end = begin + buffer[buffers].pages * page();
        for (unsigned char *p = begin; p < end; p++)
            if ((p < at || p >= at + buffer[buffers].bytes) && *p != SLACK)
                clean = false;
        munmap(buffer[buffers].map, (buffer[buffers].pages + 2) * page());
    }
    return clean;
}

const char *guard_forbidden(void)
{
    static const unsigned char *at;
    if (!at)
        at = map(64 * page());
    return (const char *)at;
}
