#include "formats/values.h"

#include <string.h>

#include "common/memory.h"

void scarlet__heap_free(scarlet__heap *heap)
{
    scarlet__names_free(&heap->by_key);
    scarlet__free(heap->storage);
    scarlet__arena_free(&heap->arena);
}

bool scarlet__value_is(const scarlet__value *value, const char *text)
{
    return value->kind == SCARLET__STRING && value->length == strlen(text) &&
           memcmp(value->bytes, text, value->length) == 0;
}

bool scarlet__items_add(scarlet__arena *arena, scarlet__items *items, const scarlet__value *values,
                        size_t count)
{
    size_t needed;
    if (__builtin_add_overflow(items->count, count, &needed))
        return false;
    if (needed > items->capacity) {
        size_t capacity = items->capacity * 2 > needed ? items->capacity * 2 : needed;
        scarlet__value *grown = scarlet__arena_alloc(arena, capacity, sizeof *grown);
        if (!grown)
            return false;
        if (items->count)
            memcpy(grown, items->item, items->count * sizeof *grown);
        items->item = grown;
        items->capacity = capacity;
    }
    if (count)
        memcpy(items->item + items->count, values, count * sizeof *values);
    items->count = needed;
    return true;
}
