/*
 * torch.save before 1.6: five pickles in a row (magic number, protocol, system, the
 * object, keys of its storages), then each storage: its number of elements and its bytes.
 */
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "formats/readers.h"
#include "formats/state_dict.h"

enum { PROTOCOL = 1001 };
static const char magic[10] = "\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19";

typedef struct {
    const scarlet__source *source;
    uint64_t at; /* file offset of what comes next */
    scarlet__state_dict dict;
    scarlet_error *err;
} reader;

static scarlet_status next_pickle(reader *r, scarlet__pickle *pickle)
{
    scarlet_status status =
        scarlet__pickle_load(r->source, r->at, r->source->size - r->at, pickle, r->err);
    r->at = pickle->end;
    return status;
}

static scarlet_status check_magic(reader *r)
{
    scarlet__pickle pickle;
    scarlet_status status = next_pickle(r, &pickle);
    const scarlet__value *value = &pickle.value;
    if (status == SCARLET_OK && (value->kind != SCARLET__LONG || value->length != sizeof magic ||
                                 memcmp(value->bytes, magic, sizeof magic) != 0))
        status = scarlet__fail(r->err, SCARLET_ERROR_FORMAT,
                               "%s: not a checkpoint: a pickle that was not made by torch.save",
                               r->source->name);
    scarlet__pickle_free(&pickle);
    return status;
}

static scarlet_status check_protocol(reader *r)
{
    scarlet__pickle pickle;
    scarlet_status status = next_pickle(r, &pickle);
    if (status == SCARLET_OK &&
        (pickle.value.kind != SCARLET__INT || pickle.value.integer != PROTOCOL))
        status = scarlet__fail(r->err, SCARLET_ERROR_UNSUPPORTED,
                               "%s: torch file protocol is not %d", r->source->name, PROTOCOL);
    scarlet__pickle_free(&pickle);
    return status;
}

/* Byte order and sizes of the writing machine; storages are little-endian whatever it says. */
static scarlet_status skip_system(reader *r)
{
    scarlet__pickle pickle;
    scarlet_status status = next_pickle(r, &pickle);
    if (status == SCARLET_OK && pickle.value.kind != SCARLET__DICT)
        status = scarlet__fail(r->err, SCARLET_ERROR_CORRUPT,
                               "%s: the third pickle describes no system", r->source->name);
    scarlet__pickle_free(&pickle);
    return status;
}

static scarlet_status bad_storage(const reader *r, const char *key, const char *what)
{
    char owner[SCARLET__OWNER_SIZE];
    return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: %sstorage %s: %s", r->source->name,
                         scarlet__storage_owner(&r->dict, key, owner), key, what);
}

/* One storage: its place goes to all references to it. */
static scarlet_status place(reader *r, scarlet__pickle *object, const scarlet__value *key)
{
    size_t first, count;
    uint64_t numel, bytes;
    char what[160];
    if (key->kind != SCARLET__STRING || strlen(key->bytes) != key->length)
        return bad_storage(r, "(unnamed)", "its key is not a string");
    count = scarlet__names_find(&object->heap.by_key, key->bytes, &first);
    if (count == 0)
        return bad_storage(r, key->bytes, "no tensor says its type");
    const uint32_t *reference = object->heap.by_key.order + first;
    const scarlet__storage *storage = object->heap.storage[reference[0]];
    if (storage->offset)
        return bad_storage(r, key->bytes, "is listed twice");
    scarlet_status status = scarlet__source_read(r->source, r->at, &numel, sizeof numel, r->err);
    if (status != SCARLET_OK)
        return status;
    r->at += sizeof numel;
    if (numel != storage->numel) {
        snprintf(what, sizeof what, "%llu elements at byte %llu, but its tensors say %llu",
                 (unsigned long long)numel, (unsigned long long)(r->at - sizeof numel),
                 (unsigned long long)storage->numel);
        return bad_storage(r, key->bytes, what);
    }
    if (__builtin_mul_overflow(numel, scarlet__dtype_size(storage->dtype), &bytes) ||
        bytes > r->source->size - r->at) {
        snprintf(what, sizeof what,
                 "%llu elements of %s at byte %llu, but the file ends at byte %llu",
                 (unsigned long long)numel, scarlet__dtype_name(storage->dtype),
                 (unsigned long long)r->at, (unsigned long long)r->source->size);
        return bad_storage(r, key->bytes, what);
    }
    for (size_t i = 0; i < count; i++)
        object->heap.storage[reference[i]]->offset = r->at;
    r->at += bytes;
    return SCARLET_OK;
}

static scarlet_status place_all(reader *r, scarlet__pickle *object)
{
    scarlet__pickle keys;
    scarlet_status status = next_pickle(r, &keys);
    if (status == SCARLET_OK && keys.value.kind != SCARLET__LIST)
        status = scarlet__fail(r->err, SCARLET_ERROR_CORRUPT,
                               "%s: the fifth pickle lists no storages", r->source->name);
    for (size_t i = 0; status == SCARLET_OK && i < keys.value.items->count; i++)
        status = place(r, object, &keys.value.items->item[i]);
    for (size_t i = 0; status == SCARLET_OK && i < object->heap.storage_count; i++)
        if (!object->heap.storage[i]->offset)
            status = bad_storage(r, object->heap.storage[i]->key, "is not in the file's list");
    scarlet__pickle_free(&keys);
    return status;
}

scarlet_status scarlet__torch_legacy_read(scarlet__tensors *tensors, scarlet_error *err)
{
    reader r = {.source = tensors->source, .err = err};
    scarlet__pickle object = {0};
    scarlet_status status = check_magic(&r);
    if (status == SCARLET_OK)
        status = check_protocol(&r);
    if (status == SCARLET_OK)
        status = skip_system(&r);
    if (status == SCARLET_OK)
        status = next_pickle(&r, &object);
    if (status == SCARLET_OK)
        status = scarlet__storages_index(&object, r.source, err);
    if (status == SCARLET_OK)
        status = scarlet__state_dict_find(&object, tensors, &r.dict, err);
    if (status == SCARLET_OK)
        status = place_all(&r, &object);
    if (status == SCARLET_OK)
        status = scarlet__state_dict_read(&r.dict, tensors, err);
    scarlet__pickle_free(&object);
    return status;
}
