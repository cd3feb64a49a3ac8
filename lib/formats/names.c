#include "formats/names.h"

#include <string.h>

#include "common/memory.h"
#include "formats/sort.h"

/* As FNV-1a, but by eight bytes. */
static uint64_t hash_of(const char *name)
{
    size_t left = strlen(name);
    uint64_t h = 0xCBF29CE484222325u ^ left;
    while (left) {
        uint64_t word = 0;
        size_t n = left < sizeof word ? left : sizeof word;
        memcpy(&word, name, n);
        h = (h ^ word) * 0x100000001B3u;
        h ^= h >> 32;
        name += n;
        left -= n;
    }
    return h;
}

static const char *name_at(const scarlet__names *names, size_t place)
{
    return names->name_of(names->items, names->order[place]);
}

/* By hash first: names with a long beginning in common are rarely compared. Names made to have one
 * hash cost no more than a sort by name. */
static int compare(uint64_t a_hash, const char *a, uint64_t b_hash, const char *b)
{
    return a_hash != b_hash ? (a_hash < b_hash ? -1 : 1) : strcmp(a, b);
}

static bool before(const void *items, uint32_t a, uint32_t b)
{
    const scarlet__names *names = items;
    int order = compare(names->hash[a], names->name_of(names->items, a), names->hash[b],
                        names->name_of(names->items, b));
    return order ? order < 0 : a < b;
}

bool scarlet__names_index(scarlet__names *names, const void *items, size_t count,
                          scarlet__name_fn name_of)
{
    *names = (scarlet__names){.items = items, .name_of = name_of, .count = count};
    names->hash = scarlet__alloc(count, sizeof *names->hash);
    if (!names->hash)
        return false;
    for (size_t i = 0; i < count; i++)
        names->hash[i] = hash_of(name_of(items, (uint32_t)i));
    names->order = scarlet__sorted(names, count, before);
    return names->order != NULL;
}

void scarlet__names_free(scarlet__names *names)
{
    scarlet__free(names->hash);
    scarlet__free(names->order);
    *names = (scarlet__names){0};
}

/* How the name at a place compares with another. */
static int compare_at(const scarlet__names *names, size_t place, uint64_t name_hash,
                      const char *name)
{
    return compare(names->hash[names->order[place]], name_at(names, place), name_hash, name);
}

size_t scarlet__names_find(const scarlet__names *names, const char *name, size_t *first)
{
    const uint64_t wanted = hash_of(name);
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_at(names, middle, wanted, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    while (high < names->count && compare_at(names, high, wanted, name) == 0)
        high++;
    return high - low;
}

const char *scarlet__names_twice(const scarlet__names *names)
{
    for (size_t i = 1; i < names->count; i++)
        if (compare_at(names, i, names->hash[names->order[i - 1]], name_at(names, i - 1)) == 0)
            return name_at(names, i);
    return NULL;
}
