#include "counting.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

static atomic_size_t calls, live, peak;

counted counting(void)
{
    return (counted){atomic_load(&calls), atomic_load(&live), atomic_load(&peak)};
}

void counting_reset(void)
{
    atomic_store(&peak, atomic_load(&live));
}

static void gained(size_t size)
{
    size_t now = atomic_fetch_add(&live, size) + size, old = atomic_load(&peak);
    atomic_fetch_add(&calls, 1);
    while (now > old && !atomic_compare_exchange_weak(&peak, &old, now)) {
    }
}

static void *taken(void *block)
{
    if (block)
        gained(malloc_usable_size(block));
    return block;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

void *malloc(size_t size)
{
    return taken(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return taken(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size)
{
    size_t old = block ? malloc_usable_size(block) : 0;
    void *made = __libc_realloc(block, size);
    if (made || !size)
        atomic_fetch_sub(&live, old);
    return taken(made);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return taken(__libc_memalign(alignment, size));
}

void *memalign(size_t alignment, size_t size)
{
    return taken(__libc_memalign(alignment, size));
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    int code = errno;
    void *block = taken(__libc_memalign(alignment, size));
    errno = code;
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}

void free(void *block)
{
    if (block)
        atomic_fetch_sub(&live, malloc_usable_size(block));
    __libc_free(block);
}

void *mmap(void *where, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *block = ((__typeof__(&mmap))(uintptr_t)dlsym(RTLD_NEXT, "mmap64"))(
        where, size, protection, flags, fd, offset);
    if (block != MAP_FAILED)
        gained(size);
    return block;
}

int munmap(void *block, size_t size)
{
    atomic_fetch_sub(&live, size);
    return ((__typeof__(&munmap))(uintptr_t)dlsym(RTLD_NEXT, "munmap"))(block, size);
}
