#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *armed; /* the kind */
static size_t fail_at;
static int fail_code;
static atomic_size_t calls;
static atomic_bool hit;

void failing_arm(const char *kind, size_t n, int code)
{
    armed = kind;
    fail_at = n;
    fail_code = code;
    atomic_store(&calls, 0);
    atomic_store(&hit, false);
}

bool failing_hit(void)
{
    return atomic_load(&hit);
}

/* 0: do the call. errno or FAILING_*: do that instead. */
static int verdict(const char *kind)
{
    if (!armed || strcmp(armed, kind) != 0)
        return 0;
    size_t n = atomic_fetch_add(&calls, 1) + 1;
    bool lasting = fail_code == FAILING_SHORT || fail_code == FAILING_AGAIN;
    if (n < fail_at || (n > fail_at && !lasting))
        return 0;
    atomic_store(&hit, true);
    int code = fail_code;
    if (code == FAILING_AGAIN)
        code = (n - fail_at) % 2 ? 0 : EINTR;
    if (code > 0)
        errno = code;
    return code;
}

/* The definition that ours hides; sizes of files have 64 bits everywhere. */
#define NEXT(function, name) ((__typeof__(&function))(uintptr_t)dlsym(RTLD_NEXT, name))

static bool of_the_system(const char *path)
{
    return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0;
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list list;
        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    if (!of_the_system(path) && verdict("open"))
        return -1;
    return NEXT(open, "open64")(path, flags, mode);
}

int fstat(int fd, struct stat *st)
{
    return verdict("fstat") ? -1 : NEXT(fstat, "fstat64")(fd, st);
}

static ssize_t read_at(int fd, void *out, size_t size, off_t offset)
{
    return NEXT(pread, "pread64")(fd, out, size, offset);
}

ssize_t pread(int fd, void *out, size_t size, off_t offset)
{
    switch (verdict("pread")) {
    case 0:
        return read_at(fd, out, size, offset);
    case FAILING_SHORT:
        return read_at(fd, out, size ? 1 : 0, offset);
    case FAILING_SHRINK: {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        struct stat st;
        if (stat(path, &st) != 0 || truncate(path, st.st_size / 2) != 0)
            abort();
        return read_at(fd, out, size, offset);
    }
    default:
        return -1;
    }
}

ssize_t write(int fd, const void *data, size_t size)
{
    int code = fd > STDERR_FILENO ? verdict("write") : 0;
    if (code > 0)
        return -1;
    if (code == FAILING_SHORT && size)
        size = 1;
    return NEXT(write, "write")(fd, data, size);
}

int fsync(int fd)
{
    return verdict("fsync") ? -1 : NEXT(fsync, "fsync")(fd);
}

int close(int fd)
{
    int done = NEXT(close, "close")(fd); /* as Linux: closed even when it says it failed */
    return verdict("close") ? -1 : done;
}

int rename(const char *from, const char *to)
{
    return verdict("rename") ? -1 : NEXT(rename, "rename")(from, to);
}

int ftruncate(int fd, off_t size)
{
    return verdict("ftruncate") ? -1 : NEXT(ftruncate, "ftruncate64")(fd, size);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *arg)
{
    int code = verdict("pthread_create");
    return code ? code : NEXT(pthread_create, "pthread_create")(thread, attributes, run, arg);
}

void *mmap(void *where, size_t size, int protection, int flags, int fd, off_t offset)
{
    return verdict("mmap") ? MAP_FAILED
                           : NEXT(mmap, "mmap64")(where, size, protection, flags, fd, offset);
}

int madvise(void *where, size_t size, int advice)
{
    return verdict("madvise") ? -1 : NEXT(madvise, "madvise")(where, size, advice);
}

/* ---- malloc: also what libjpeg, XNNPACK and the C library itself ask for ---- */

/* dlsym would call itself here. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return verdict("malloc") ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return verdict("malloc") ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return verdict("malloc") ? NULL : __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return verdict("malloc") ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    int code = errno;
    void *block = verdict("malloc") ? NULL : __libc_memalign(alignment, size);
    errno = code;
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}
#endif

/* ---- preloaded ---- */

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("SCARLET_FAILING");
    static char kind[32];
    size_t n;
    int code;
    if (text && sscanf(text, "%31s %zu %d", kind, &n, &code) == 3)
        failing_arm(kind, n, code);
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("SCARLET_FAILING_HIT");
    armed = NULL;
    if (path && failing_hit()) {
        int fd = open(path, O_WRONLY | O_CREAT, 0666);
        if (fd >= 0)
            close(fd);
    }
}
