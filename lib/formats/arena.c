#include "formats/arena.h"

#include "common/memory.h"

enum { BLOCK = 32768, ALIGN = _Alignof(max_align_t) };

struct scarlet__arena_block {
    struct scarlet__arena_block *older;
    size_t size;
    _Alignas(ALIGN) char data[];
};

void *scarlet__arena_alloc(scarlet__arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > arena->budget) {
        arena->spent = true;
        return NULL;
    }
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > arena->left) {
        size_t room = bytes > BLOCK ? bytes : BLOCK;
        struct scarlet__arena_block *block = scarlet__alloc(sizeof *block + room, 1);
        if (!block)
            return NULL;
        *block = (struct scarlet__arena_block){.older = arena->blocks, .size = room};
        arena->blocks = block;
        arena->left = room;
    }
    char *taken = arena->blocks->data + arena->blocks->size - arena->left;
    arena->left -= bytes;
    arena->budget -= bytes < arena->budget ? bytes : arena->budget;
    return taken;
}

void scarlet__arena_free(scarlet__arena *arena)
{
    while (arena->blocks) {
        struct scarlet__arena_block *older = arena->blocks->older;
        scarlet__free(arena->blocks);
        arena->blocks = older;
    }
    arena->left = 0;
}
