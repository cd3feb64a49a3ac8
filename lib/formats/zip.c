#include "formats/zip.h"

#include <stdbool.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/inflate.h"
#include "formats/sort.h"

enum {
    LOCAL_SIZE = 30,
    ENTRY_SIZE = 46,
    END_SIZE = 22,
    LOCATOR_SIZE = 20,
    END64_SIZE = 56,
    COMMENT_MAX = 65535,
    DIRECTORY_MAX = 64 << 20
};

typedef struct {
    const scarlet__source *source;
    scarlet__zip *zip;
    scarlet_error *err;
    uint64_t offset, size, count; /* of the directory */
} reader;

static uint64_t get(const uint8_t *at, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, at, size);
    return value;
}

static bool signature(const uint8_t *at, uint32_t code)
{
    return get(at, 4) == (0x4B50u | code << 16);
}
enum { LOCAL = 0x0403, ENTRY = 0x0201, END = 0x0605, LOCATOR = 0x0706, END64 = 0x0606 };

static scarlet_status bad(const reader *r, const char *what)
{
    return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: zip: %s", r->source->name, what);
}

static scarlet_status bad_entry(const reader *r, const char *name, const char *what)
{
    return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: zip entry %s: %s", r->source->name,
                         name, what);
}

/* ---- the end records ---- */

/* Takes number, size and offset of the directory from the zip64 record, where the plain one is too
 * narrow; `end` is the plain one's place, *first that of the first end record. */
static scarlet_status read_end64(reader *r, uint64_t end, uint64_t *first)
{
    uint8_t locator[LOCATOR_SIZE], record[END64_SIZE];
    *first = end;
    if (end < LOCATOR_SIZE)
        return SCARLET_OK;
    scarlet_status status =
        scarlet__source_read(r->source, end - LOCATOR_SIZE, locator, LOCATOR_SIZE, r->err);
    if (status != SCARLET_OK || !signature(locator, LOCATOR))
        return status;
    uint64_t at = get(locator + 8, 8);
    if (end < LOCATOR_SIZE + END64_SIZE || at > end - LOCATOR_SIZE - END64_SIZE)
        return bad(r, "the zip64 record is beyond its place");
    status = scarlet__source_read(r->source, at, record, END64_SIZE, r->err);
    if (status != SCARLET_OK)
        return status;
    if (!signature(record, END64) || get(record + 16, 8) != 0 /* disks */)
        return bad(r, "no zip64 record where it should be");
    uint64_t count = get(record + 32, 8), size = get(record + 40, 8), offset = get(record + 48, 8);
    if ((r->count != 0xFFFF && r->count != count) || (r->size != UINT32_MAX && r->size != size) ||
        (r->offset != UINT32_MAX && r->offset != offset) || get(record + 24, 8) != count)
        return bad(r, "its two end records differ");
    r->count = count;
    r->size = size;
    r->offset = offset;
    *first = at;
    return SCARLET_OK;
}

/* The last end record whose comment reaches to the end of the file; where there is none, the last
 * after whose comment something else follows, as torch and Python take it. */
static const uint8_t *find_end(const uint8_t *tail, size_t length)
{
    const uint8_t *followed = NULL;
    for (size_t size = END_SIZE; size <= length; size++) {
        const uint8_t *end = tail + length - size;
        if (!signature(end, END))
            continue;
        uint64_t comment = get(end + 20, 2);
        if (comment == size - END_SIZE)
            return end;
        if (!followed && comment < size - END_SIZE)
            followed = end;
    }
    return followed;
}

static scarlet_status read_end(reader *r)
{
    uint64_t size = r->source->size, first = 0;
    size_t length = size < END_SIZE + COMMENT_MAX ? (size_t)size : END_SIZE + COMMENT_MAX;
    uint8_t *tail = scarlet__alloc(length, 1);
    if (!tail)
        return scarlet__fail_memory(r->err);
    scarlet_status status = scarlet__source_read(r->source, size - length, tail, length, r->err);
    const uint8_t *end = status == SCARLET_OK ? find_end(tail, length) : NULL;
    if (status == SCARLET_OK && !end)
        status =
            bad(r, "cut short, or followed by other bytes: no directory at the end of the file");
    if (end) {
        r->count = get(end + 10, 2);
        r->size = get(end + 12, 4);
        r->offset = get(end + 16, 4);
        if (get(end + 4, 4) != 0 || get(end + 8, 2) != r->count)
            status = bad(r, "an archive of several parts");
        else
            status = read_end64(r, size - length + (uint64_t)(end - tail), &first);
    }
    scarlet__free(tail);
    if (status != SCARLET_OK)
        return status;
    if (r->offset > first || r->size != first - r->offset)
        return bad(r, "the directory is not before its end record");
    if (r->count > SCARLET__ENTRIES_MAX || r->size > DIRECTORY_MAX)
        return scarlet__fail(r->err, SCARLET_ERROR_LIMIT, "%s: zip: more than %d entries",
                             r->source->name, SCARLET__ENTRIES_MAX);
    return SCARLET_OK;
}

/* ---- entries ---- */

/* Replaces what is saturated by the next number of the zip64 extra field. */
static bool widen(uint64_t *value, const uint8_t **extra, size_t *left)
{
    if (*value != UINT32_MAX)
        return true;
    if (*left < 8)
        return false;
    *value = get(*extra, 8);
    *extra += 8;
    *left -= 8;
    return true;
}

static bool widen_all(const uint8_t *extra, size_t length, uint64_t *full, uint64_t *packed,
                      uint64_t *header)
{
    while (length >= 4) {
        size_t size = (size_t)get(extra + 2, 2);
        if (size > length - 4)
            return false;
        const uint8_t *field = extra + 4;
        if (get(extra, 2) == 1)
            return widen(full, &field, &size) && widen(packed, &field, &size) &&
                   widen(header, &field, &size);
        extra += 4 + size;
        length -= 4 + size;
    }
    return *full != UINT32_MAX && *packed != UINT32_MAX && *header != UINT32_MAX;
}

/* Finds an entry's data, which follows its local header. */
static scarlet_status locate(reader *r, scarlet__zip_entry *entry)
{
    uint8_t local[LOCAL_SIZE];
    if (entry->header > r->offset || r->offset - entry->header < LOCAL_SIZE)
        return bad_entry(r, entry->name, "is beyond the directory");
    scarlet_status status =
        scarlet__source_read(r->source, entry->header, local, LOCAL_SIZE, r->err);
    if (status != SCARLET_OK)
        return status;
    if (!signature(local, LOCAL))
        return bad_entry(r, entry->name, "no header where it should be");
    entry->offset = entry->header + LOCAL_SIZE + get(local + 26, 2) + get(local + 28, 2);
    if (entry->offset > r->offset || entry->packed > r->offset - entry->offset)
        return bad_entry(r, entry->name, "reaches into the directory");
    return SCARLET_OK;
}

/* One entry of the directory; *used receives its length. */
static scarlet_status read_entry(reader *r, uint8_t *at, size_t left, size_t *used,
                                 scarlet__zip_entry *entry)
{
    if (left < ENTRY_SIZE || !signature(at, ENTRY))
        return bad(r, "the directory is damaged");
    uint64_t flags = get(at + 8, 2), method = get(at + 10, 2), packed = get(at + 20, 4),
             full = get(at + 24, 4), disk = get(at + 34, 2), header = get(at + 42, 4);
    size_t name_length = (size_t)get(at + 28, 2), extra_length = (size_t)get(at + 30, 2);
    *used = ENTRY_SIZE + name_length + extra_length + (size_t)get(at + 32, 2);
    if (*used > left ||
        !widen_all(at + ENTRY_SIZE + name_length, extra_length, &full, &packed, &header))
        return bad(r, "the directory is damaged");

    /* The header's fields are read: the name moves down by a byte to have room for its end. */
    char *name = (char *)at + ENTRY_SIZE - 1;
    memmove(name, name + 1, name_length);
    name[name_length] = '\0';
    if (strlen(name) != name_length)
        return bad(r, "an entry whose name holds a NUL");
    if (disk != 0 || (method == 0 && packed != full))
        return bad_entry(r, name, disk ? "is in another file" : "its two sizes differ");
    *entry = (scarlet__zip_entry){
        .name = name, .header = header, .packed = packed, .size = full, .deflated = method == 8};
    if (flags & 0x2041) /* in one of three ways */
        entry->unusable = "is encrypted";
    else if (method != 0 && !(entry->deflated && scarlet__inflate_built))
        entry->unusable =
            "is compressed in a way that is not read; unpack the archive and zip it "
            "again with -0";
    return locate(r, entry);
}

static scarlet_status read_entries(reader *r)
{
    scarlet__zip *zip = r->zip;
    size_t left = (size_t)r->size, used = 0;
    uint8_t *at = zip->directory = scarlet__alloc(left, 1);
    if (!at)
        return scarlet__fail_memory(r->err);
    scarlet_status status = scarlet__source_read(r->source, r->offset, at, left, r->err);
    if (status != SCARLET_OK)
        return status;
    if (r->count > left / ENTRY_SIZE)
        return bad(r, "the directory is damaged");
    zip->entry = scarlet__alloc((size_t)r->count, sizeof *zip->entry);
    if (!zip->entry)
        return scarlet__fail_memory(r->err);
    for (; zip->count < r->count; zip->count++) {
        status = read_entry(r, at, left, &used, &zip->entry[zip->count]);
        if (status != SCARLET_OK)
            return status;
        at += used;
        left -= used;
    }
    return left ? bad(r, "the directory is damaged") : SCARLET_OK;
}

static bool lies_before(const void *items, uint32_t a, uint32_t b)
{
    const scarlet__zip_entry *entry = items;
    return entry[a].header != entry[b].header ? entry[a].header < entry[b].header : a < b;
}

static scarlet_status check_overlap(reader *r)
{
    const scarlet__zip *zip = r->zip;
    uint32_t *order = scarlet__sorted(zip->entry, zip->count, lies_before);
    if (!order)
        return scarlet__fail_memory(r->err);
    scarlet_status status = SCARLET_OK;
    for (size_t i = 1; i < zip->count && status == SCARLET_OK; i++) {
        const scarlet__zip_entry *a = &zip->entry[order[i - 1]], *b = &zip->entry[order[i]];
        if (b->header < a->offset + a->packed)
            status = bad_entry(r, b->name, "overlaps another entry");
    }
    scarlet__free(order);
    return status;
}

static const char *name_of(const void *items, uint32_t i)
{
    return ((const scarlet__zip_entry *)items)[i].name;
}

static scarlet_status index_names(reader *r)
{
    scarlet__zip *zip = r->zip;
    if (!scarlet__names_index(&zip->by_name, zip->entry, zip->count, name_of))
        return scarlet__fail_memory(r->err);
    const char *twice = scarlet__names_twice(&zip->by_name);
    return twice ? bad_entry(r, twice, "occurs twice") : SCARLET_OK;
}

scarlet_status scarlet__zip_open(const scarlet__source *source, scarlet__zip *out,
                                 scarlet_error *err)
{
    *out = (scarlet__zip){0};
    reader r = {.source = source, .zip = out, .err = err};
    scarlet_status status = read_end(&r);
    if (status == SCARLET_OK)
        status = read_entries(&r);
    if (status == SCARLET_OK)
        status = check_overlap(&r);
    if (status == SCARLET_OK)
        status = index_names(&r);
    return status;
}

void scarlet__zip_close(scarlet__zip *zip)
{
    scarlet__free(zip->entry);
    scarlet__names_free(&zip->by_name);
    scarlet__free(zip->directory);
    *zip = (scarlet__zip){0};
}

const scarlet__zip_entry *scarlet__zip_find(const scarlet__zip *zip, const char *name)
{
    size_t place;
    return scarlet__names_find(&zip->by_name, name, &place) ? &zip->entry[zip->by_name.order[place]]
                                                            : NULL;
}
