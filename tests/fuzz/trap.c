/* Linked with --wrap for the functions below: calls of the command's code come here. All is built
 * for files of 64 bits: fopen and open are fopen64 and open64. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "fuzz.h"

/* Of the sanitizers; without one, what is left behind stays. */
__attribute__((weak)) int
__sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                          void (*on_free)(const volatile void *));

FILE *__real_fopen64(const char *path, const char *mode);
int __real_fclose(FILE *file);
int __real_open64(const char *path, int flags, ...);
int __real_close(int fd);
_Noreturn void __real_exit(int code);
FILE *__wrap_fopen64(const char *path, const char *mode);
int __wrap_fclose(FILE *file);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
_Noreturn void __wrap_exit(int code);

static struct {
    jmp_buf escape;
    bool active;
} trap;

/* ---- what a run holds ---- */

enum { BLOCKS_MAX = 1 << 16, FILES_MAX = 16 };
static const volatile void *blocks[BLOCKS_MAX];
static FILE *files[FILES_MAX];
static int fds[FILES_MAX];
static size_t block_count, file_count, fd_count;

static void on_malloc(const volatile void *block, size_t size)
{
    (void)size;
    if (trap.active && block) {
        MUST(block_count < BLOCKS_MAX);
        blocks[block_count++] = block;
    }
}

static void on_free(const volatile void *block)
{
    if (trap.active && block)
        for (size_t i = block_count; i-- > 0;)
            if (blocks[i] == block) {
                blocks[i] = blocks[--block_count];
                return;
            }
}

FILE *__wrap_fopen64(const char *path, const char *mode)
{
    FILE *file = __real_fopen64(path, mode);
    if (trap.active && file) {
        MUST(file_count < FILES_MAX);
        files[file_count++] = file;
    }
    return file;
}

int __wrap_fclose(FILE *file)
{
    for (size_t i = 0; i < file_count; i++)
        if (files[i] == file)
            files[i] = files[--file_count];
    return __real_fclose(file);
}

int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    int mode = flags & O_CREAT ? va_arg(args, int) : 0;
    va_end(args);
    int fd = __real_open64(path, flags, mode);
    if (trap.active && fd >= 0) {
        MUST(fd_count < FILES_MAX);
        fds[fd_count++] = fd;
    }
    return fd;
}

int __wrap_close(int fd)
{
    for (size_t i = 0; i < fd_count; i++)
        if (fds[i] == fd)
            fds[i] = fds[--fd_count];
    return __real_close(fd);
}

/* ---- the trap ---- */

void __wrap_exit(int code)
{
    if (!trap.active)
        __real_exit(code);
    longjmp(trap.escape, 1);
}

static void silence(void)
{
    stderr = fopen("/dev/null", "w"); /* sanitizers and libFuzzer write to descriptor 2 */
    stdout = fopen("/dev/null", "w");
    MUST(stderr && stdout);
    fputs("takes its buffers now", stderr);
    fputs("takes its buffers now", stdout);
    if (__sanitizer_install_malloc_and_free_hooks)
        MUST(__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free));
}

bool trap_run(void (*body)(void *user), void *user)
{
    static bool silent;
    if (!silent)
        silence();
    silent = true;
    MUST(!block_count && !file_count && !fd_count);
    volatile bool finished = false;
    if (!setjmp(trap.escape)) {
        trap.active = true;
        body(user);
        finished = true;
    }
    if (!finished) {
        while (file_count)
            __wrap_fclose(files[0]);
        while (fd_count)
            __wrap_close(fds[0]);
    }
    trap.active = false;
    if (finished) /* LeakSanitizer reports memory that is left, files are here */
        MUST(!file_count && !fd_count);
    else
        for (size_t i = 0; i < block_count; i++)
            free((void *)(uintptr_t)blocks[i]);
    block_count = 0;
    return finished;
}
