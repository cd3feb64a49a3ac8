/* torch.save since 1.6: a zip archive with PREFIX/data.pkl and a record PREFIX/data/KEY a storage.
 */
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/inflate.h"
#include "formats/readers.h"
#include "formats/state_dict.h"
#include "formats/zip.h"

typedef struct {
    const scarlet__source *source;
    scarlet__zip zip;
    const scarlet__zip_entry *data; /* PREFIX/data.pkl */
    char *name;                     /* PREFIX/ and room for what follows */
    size_t prefix, room;
    scarlet__state_dict dict;
    scarlet_error *err;
} reader;

/* The entry PREFIX/rest, or NULL. */
static const scarlet__zip_entry *find(reader *r, const char *folder, const char *rest)
{
    size_t needed = r->prefix + strlen(folder) + strlen(rest) + 1;
    if (needed > r->room) /* longer than any name of the archive */
        return NULL;
    snprintf(r->name + r->prefix, r->room - r->prefix, "%s%s", folder, rest);
    return scarlet__zip_find(&r->zip, r->name);
}

static scarlet_status check_usable(const reader *r, const scarlet__zip_entry *entry)
{
    return entry->unusable
               ? scarlet__fail(r->err, SCARLET_ERROR_UNSUPPORTED, "%s: zip entry %s: %s",
                               r->source->name, entry->name, entry->unusable)
               : SCARLET_OK;
}

/* All bytes of an entry, unpacked. owner: "tensor NAME: " for messages, or "". */
static scarlet_status read_entry(const reader *r, const scarlet__zip_entry *entry,
                                 const char *owner, uint8_t *out)
{
    char what[200];
    if (!entry->deflated)
        return scarlet__source_read(r->source, entry->offset, out, (size_t)entry->size, r->err);
    snprintf(what, sizeof what, "%szip entry %.80s", owner, entry->name);
    return scarlet__inflate(r->source, entry->offset, entry->packed, what, out, (size_t)entry->size,
                            r->err);
}

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static scarlet_status no_pickle(const reader *r)
{
    static const char *const checkpoint[] = {".pth", ".pt", ".pth.tar", ".ckpt", ".safetensors"};
    for (size_t i = 0; i < r->zip.count; i++)
        for (size_t j = 0; j < sizeof checkpoint / sizeof *checkpoint; j++)
            if (ends_with(r->zip.entry[i].name, checkpoint[j]))
                return scarlet__fail(r->err, SCARLET_ERROR_FORMAT,
                                     "%s: not a checkpoint: a zip archive with %s in it (unpack "
                                     "it first)",
                                     r->source->name, r->zip.entry[i].name);
    return scarlet__fail(r->err, SCARLET_ERROR_FORMAT,
                         "%s: not a checkpoint: a zip archive without data.pkl (not made by "
                         "torch.save)",
                         r->source->name);
}

static scarlet_status find_pickle(reader *r)
{
    static const char tail[] = "/data.pkl";
    size_t longest = 0;
    for (size_t i = 0; i < r->zip.count; i++) {
        const char *name = r->zip.entry[i].name;
        size_t length = strlen(name);
        longest = length > longest ? length : longest;
        if (length < sizeof tail || strcmp(name + length - (sizeof tail - 1), tail) != 0)
            continue;
        if (r->data)
            return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: zip: both %s and %s",
                                 r->source->name, r->data->name, name);
        r->data = &r->zip.entry[i];
    }
    if (!r->data)
        return no_pickle(r);
    r->prefix = strlen(r->data->name) - (sizeof "data.pkl" - 1);
    r->room = longest + 1;
    r->name = scarlet__alloc(r->room, 1);
    if (!r->name)
        return scarlet__fail_memory(r->err);
    memcpy(r->name, r->data->name, r->prefix);
    return SCARLET_OK;
}

static scarlet_status check_kind(reader *r)
{
    if (find(r, "constants.pkl", "") || find(r, "", "code/.data/ts_code"))
        return scarlet__fail(r->err, SCARLET_ERROR_UNSUPPORTED,
                             "%s: a TorchScript archive; save model.state_dict() instead",
                             r->source->name);
    const scarlet__zip_entry *entry = find(r, "byteorder", "");
    uint8_t order[8] = "";
    if (!entry) /* before torch 2.1 */
        return check_usable(r, r->data);
    scarlet_status status = check_usable(r, r->data);
    if (status == SCARLET_OK)
        status = check_usable(r, entry);
    if (status == SCARLET_OK && entry->size < sizeof order)
        status = read_entry(r, entry, "", order);
    if (status != SCARLET_OK || strcmp((const char *)order, "little") == 0)
        return status;
    return scarlet__fail(r->err, SCARLET_ERROR_UNSUPPORTED,
                         "%s: its byte order is \"%s\"; only \"little\" is read", r->source->name,
                         (const char *)order);
}

/* Runs data.pkl, which may be deflated. */
static scarlet_status load_pickle(reader *r, scarlet__pickle *pickle)
{
    if (!r->data->deflated)
        return scarlet__pickle_load(r->source, r->data->offset, r->data->size, pickle, r->err);
    if (r->data->size > SCARLET__PICKLE_MAX)
        return scarlet__fail(r->err, SCARLET_ERROR_LIMIT, "%s: zip entry %s: more than 64 MiB",
                             r->source->name, r->data->name);
    const size_t size = (size_t)r->data->size;
    uint8_t *bytes = scarlet__alloc(size, 1);
    if (!bytes)
        return scarlet__fail_memory(r->err);
    scarlet__source unpacked;
    scarlet__source_memory(bytes, size, &unpacked);
    unpacked.name = r->source->name;
    scarlet_status status = read_entry(r, r->data, "", bytes);
    if (status == SCARLET_OK)
        status = scarlet__pickle_load(&unpacked, 0, size, pickle, r->err);
    scarlet__free(bytes);
    return status;
}

/* ---- storages ---- */

static scarlet_status bad_storage(const reader *r, const char *key, const char *what)
{
    char owner[SCARLET__OWNER_SIZE];
    return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: %s%s", r->source->name,
                         scarlet__storage_owner(&r->dict, key, owner), what);
}

/* The record of a storage, which must have its size. */
static scarlet_status find_record(reader *r, const scarlet__storage *storage,
                                  const scarlet__zip_entry **out)
{
    const scarlet__zip_entry *entry = *out = find(r, "data/", storage->key);
    uint64_t bytes;
    char what[160];
    if (!entry) {
        snprintf(what, sizeof what, "zip: no entry data/%s", storage->key);
        return bad_storage(r, storage->key, what);
    }
    scarlet_status status = check_usable(r, entry);
    if (status != SCARLET_OK)
        return status;
    if (__builtin_mul_overflow(storage->numel, scarlet__dtype_size(storage->dtype), &bytes) ||
        bytes != entry->size) {
        snprintf(what, sizeof what,
                 "zip entry %.60s: %llu bytes, but its storage has %llu elements of %s",
                 entry->name, (unsigned long long)entry->size, (unsigned long long)storage->numel,
                 scarlet__dtype_name(storage->dtype));
        return bad_storage(r, storage->key, what);
    }
    return SCARLET_OK;
}

/* References to one storage: their places in by_key.order. */
typedef struct {
    size_t first, end;
    bool wanted; /* one of them is */
} group;

static group group_at(const scarlet__heap *heap, size_t first)
{
    const uint32_t *order = heap->by_key.order;
    group g = {.first = first, .end = first};
    while (g.end < heap->storage_count &&
           strcmp(heap->storage[order[first]]->key, heap->storage[order[g.end]]->key) == 0)
        g.wanted |= heap->storage[order[g.end++]]->wanted;
    return g;
}

static void set_offset(scarlet__heap *heap, const group *g, uint64_t offset)
{
    for (size_t i = g->first; i < g->end; i++)
        heap->storage[heap->by_key.order[i]]->offset = offset;
}

/* Reads the records of all storages that tensors are in, `bytes` in all, into memory, which takes
 * the file's place. */
static scarlet_status unpack(reader *r, scarlet__heap *heap, uint64_t bytes,
                             scarlet__tensors *tensors)
{
    if (bytes > tensors->max_bytes || bytes > SIZE_MAX)
        return scarlet__fail(r->err, SCARLET_ERROR_LIMIT,
                             "%s: its tensors take more than %llu bytes (option max_bytes)",
                             r->source->name, (unsigned long long)tensors->max_bytes);
    uint8_t *memory = scarlet__alloc((size_t)bytes, 1);
    if (!memory)
        return scarlet__fail_memory(r->err);
    scarlet__source_memory(memory, (size_t)bytes, &tensors->unpacked);
    tensors->unpacked.name = r->source->name;
    tensors->source = &tensors->unpacked;
    uint64_t at = 0;
    for (size_t i = 0; i < heap->storage_count;) {
        const group g = group_at(heap, i);
        i = g.end;
        if (!g.wanted)
            continue;
        const scarlet__storage *storage = heap->storage[heap->by_key.order[g.first]];
        const scarlet__zip_entry *entry = find(r, "data/", storage->key);
        char owner[SCARLET__OWNER_SIZE];
        scarlet__storage_owner(&r->dict, storage->key, owner);
        scarlet_status status = read_entry(r, entry, owner, memory + at);
        if (status != SCARLET_OK)
            return status;
        set_offset(heap, &g, at);
        at += entry->size;
    }
    return SCARLET_OK;
}

/* Sets the place of each storage: its record. Of those that no tensor is in, nothing is read. */
static scarlet_status place(reader *r, scarlet__heap *heap, scarlet__tensors *tensors)
{
    uint64_t bytes = 0; /* of those that tensors are in */
    bool deflated = false;
    for (size_t i = 0; i < heap->storage_count;) {
        const group g = group_at(heap, i);
        const scarlet__zip_entry *entry;
        scarlet_status status = find_record(r, heap->storage[heap->by_key.order[g.first]], &entry);
        if (status != SCARLET_OK)
            return status;
        set_offset(heap, &g, entry->offset);
        if (g.wanted && __builtin_add_overflow(bytes, entry->size, &bytes))
            bytes = UINT64_MAX;
        deflated = deflated || (g.wanted && entry->deflated);
        i = g.end;
    }
    return deflated ? unpack(r, heap, bytes, tensors) : SCARLET_OK;
}

scarlet_status scarlet__torch_zip_read(scarlet__tensors *tensors, scarlet_error *err)
{
    reader r = {.source = tensors->source, .err = err};
    scarlet__pickle pickle = {0};
    scarlet_status status = scarlet__zip_open(r.source, &r.zip, err);
    if (status == SCARLET_OK)
        status = find_pickle(&r);
    if (status == SCARLET_OK)
        status = check_kind(&r);
    if (status == SCARLET_OK)
        status = load_pickle(&r, &pickle);
    if (status == SCARLET_OK)
        status = scarlet__storages_index(&pickle, r.source, err);
    if (status == SCARLET_OK)
        status = scarlet__state_dict_find(&pickle, tensors, &r.dict, err);
    if (status == SCARLET_OK)
        status = place(&r, &pickle.heap, tensors);
    if (status == SCARLET_OK)
        status = scarlet__state_dict_read(&r.dict, tensors, err);
    scarlet__pickle_free(&pickle);
    scarlet__free(r.name);
    scarlet__zip_close(&r.zip);
    return status;
}
