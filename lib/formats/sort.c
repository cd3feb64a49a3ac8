#include "formats/sort.h"

#include "common/memory.h"

/* Heap sort: no worst case to aim at, no recursion, no memory of its own (qsort has all three). */
static void sift(uint32_t *heap, size_t root, size_t count, const void *items,
                 scarlet__before_fn before)
{
    uint32_t moved = heap[root];
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && before(items, heap[child], heap[child + 1]))
            child++;
        if (!before(items, moved, heap[child]))
            break;
        heap[root] = heap[child];
    }
    heap[root] = moved;
}

uint32_t *scarlet__sorted(const void *items, size_t count, scarlet__before_fn before)
{
    uint32_t *index = scarlet__alloc(count, sizeof *index);
    if (!index)
        return NULL;
    for (size_t i = 0; i < count; i++)
        index[i] = (uint32_t)i;
    for (size_t i = count / 2; i > 0; i--)
        sift(index, i - 1, count, items, before);
    for (size_t end = count; end > 1;) {
        uint32_t last = index[--end];
        index[end] = index[0];
        index[0] = last;
        sift(index, 0, end, items, before);
    }
    return index;
}
