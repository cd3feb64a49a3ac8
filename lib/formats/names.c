#include "formats/names.h"

#include <string.h>

#include "common/memory.h"
#include "formats/sort.h"

static const char *name_at(const scarlet__names *names, size_t place)
{
    return names->name_of(names->items, names->order[place]);
}

static bool before(const void *items, uint32_t a, uint32_t b)
{
    const scarlet__names *names = items;
    int order = strcmp(names->name_of(names->items, a), names->name_of(names->items, b));
    return order ? order < 0 : a < b;
}

bool scarlet__names_index(scarlet__names *names, const void *items, size_t count,
                          scarlet__name_fn name_of)
{
    *names = (scarlet__names){.items = items, .name_of = name_of, .count = count};
    names->order = scarlet__sorted(names, count, before);
    return names->order != NULL;
}

void scarlet__names_free(scarlet__names *names)
{
    scarlet__free(names->order);
    *names = (scarlet__names){0};
}

size_t scarlet__names_find(const scarlet__names *names, const char *name, size_t *first)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(name_at(names, middle), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    while (high < names->count && strcmp(name_at(names, high), name) == 0)
        high++;
    return high - low;
}

const char *scarlet__names_twice(const scarlet__names *names)
{
    for (size_t i = 1; i < names->count; i++)
        if (strcmp(name_at(names, i - 1), name_at(names, i)) == 0)
            return name_at(names, i);
    return NULL;
}
