/* torch.save since 1.6: a zip archive with PREFIX/data.pkl and a record PREFIX/data/KEY a storage.
 */
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/readers.h"
#include "formats/state_dict.h"
#include "formats/zip.h"

typedef struct {
    const scarlet__source *source;
    scarlet__zip zip;
    const scarlet__zip_entry *data; /* PREFIX/data.pkl */
    char *name;                     /* PREFIX/ and room for what follows */
    size_t prefix, room;
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
        return scarlet__fail(r->err, SCARLET_ERROR_FORMAT,
                             "%s: not a checkpoint: a zip archive without data.pkl (not made by "
                             "torch.save)",
                             r->source->name);
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
    char order[8] = "";
    if (!entry) /* before torch 2.1 */
        return check_usable(r, r->data);
    size_t size = entry->size < sizeof order - 1 ? (size_t)entry->size : sizeof order - 1;
    scarlet_status status = check_usable(r, r->data);
    if (status == SCARLET_OK)
        status = check_usable(r, entry);
    if (status == SCARLET_OK)
        status = scarlet__source_read(r->source, entry->offset, order, size, r->err);
    if (status != SCARLET_OK || strcmp(order, "little") == 0)
        return status;
    return scarlet__fail(r->err, SCARLET_ERROR_UNSUPPORTED,
                         "%s: its byte order is \"%s\"; only \"little\" is read", r->source->name,
                         order);
}

/* Sets the place of each storage: its record. */
static scarlet_status place(reader *r, scarlet__pickle *pickle)
{
    for (size_t i = 0; i < pickle->heap.storage_count; i++) {
        scarlet__storage *storage = pickle->heap.storage[i];
        const scarlet__zip_entry *entry = find(r, "data/", storage->key);
        uint64_t bytes;
        if (!entry)
            return scarlet__fail(r->err, SCARLET_ERROR_CORRUPT, "%s: zip: no entry data/%s",
                                 r->source->name, storage->key);
        scarlet_status status = check_usable(r, entry);
        if (status != SCARLET_OK)
            return status;
        if (__builtin_mul_overflow(storage->numel, scarlet__dtype_size(storage->dtype), &bytes) ||
            bytes != entry->size)
            return scarlet__fail(
                r->err, SCARLET_ERROR_CORRUPT,
                "%s: zip entry %s: %llu bytes, but its storage has %llu elements of %s",
                r->source->name, entry->name, (unsigned long long)entry->size,
                (unsigned long long)storage->numel, scarlet__dtype_name(storage->dtype));
        storage->offset = entry->offset;
    }
    return SCARLET_OK;
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
        status = scarlet__pickle_load(r.source, r.data->offset, r.data->size, &pickle, err);
    if (status == SCARLET_OK)
        status = scarlet__storages_index(&pickle, r.source, err);
    if (status == SCARLET_OK)
        status = place(&r, &pickle);
    if (status == SCARLET_OK)
        status = scarlet__state_dict_read(&pickle, tensors, err);
    scarlet__pickle_free(&pickle);
    scarlet__free(r.name);
    scarlet__zip_close(&r.zip);
    return status;
}
