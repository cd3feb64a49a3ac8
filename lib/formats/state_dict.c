#include "formats/state_dict.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "formats/sort.h"

/* ---- storages ---- */

static const char *key_of(const void *items, uint32_t i)
{
    return ((scarlet__storage *const *)items)[i]->key;
}

scarlet_status scarlet__storages_index(scarlet__pickle *pickle, const scarlet__source *source,
                                       scarlet_error *err)
{
    scarlet__names *keys = &pickle->heap.by_key;
    if (!scarlet__names_index(keys, pickle->heap.storage, pickle->heap.storage_count, key_of))
        return scarlet__fail_memory(err);
    for (size_t i = 1; i < keys->count; i++) {
        const scarlet__storage *a = pickle->heap.storage[keys->order[i - 1]],
                               *b = pickle->heap.storage[keys->order[i]];
        if (strcmp(a->key, b->key) == 0 && (a->dtype != b->dtype || a->numel != b->numel))
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                                 "%s: storage %s has %llu elements of %s in one place, %llu of %s "
                                 "in another",
                                 source->name, a->key, (unsigned long long)a->numel,
                                 scarlet__dtype_name(a->dtype), (unsigned long long)b->numel,
                                 scarlet__dtype_name(b->dtype));
    }
    return SCARLET_OK;
}

/* ---- finding the state dict ---- */

static scarlet_status foreign(const scarlet__source *source, const char *what,
                              const scarlet__global *global, scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                         "%s: %s: value is made by the global '%s.%s', which libscarlet does not "
                         "run",
                         source->name, what, global->module, global->name);
}

/* The last entry of this name, as in Python. */
static const scarlet__value *entry(const scarlet__items *dict, const char *name)
{
    for (size_t i = dict->count; i > 0; i -= 2)
        if (scarlet__value_is(&dict->item[i - 2], name))
            return &dict->item[i - 1];
    return NULL;
}

static size_t count_tensors(const scarlet__items *dict)
{
    size_t count = 0;
    for (size_t i = 1; i < dict->count; i += 2)
        count += dict->item[i].kind == SCARLET__VIEW;
    return count;
}

/* "'epoch', 'net', ..." */
static void list_keys(const scarlet__items *dict, char *text, size_t room)
{
    size_t used = 0, shown = 0;
    *text = '\0';
    for (size_t i = 0; i < dict->count && used < room; i += 2) {
        if (shown == 5) {
            snprintf(text + used, room - used, ", ...");
            return;
        }
        if (dict->item[i].kind == SCARLET__STRING) {
            used += (size_t)snprintf(text + used, room - used, "%s'%s'", shown ? ", " : "",
                                     dict->item[i].bytes);
            shown++;
        }
    }
}

/* The one of the usual keys, "model_state" aside, that holds tensors; NULL if there is none
 * (*status stays) or more than one. */
static const scarlet__items *find_other(const scarlet__items *root, const scarlet__source *source,
                                        const char **where, scarlet_status *status,
                                        scarlet_error *err)
{
    static const char *const keys[] = {"state_dict", "model", "model_state_dict"};
    const scarlet__items *dict = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const scarlet__value *value = entry(root, keys[i]);
        if (!value || value->kind != SCARLET__DICT || count_tensors(value->items) == 0)
            continue;
        if (dict) {
            *status =
                scarlet__fail(err, SCARLET_ERROR_MODEL,
                              "%s: both '%s' and '%s' hold tensors; keep one, as 'model_state'",
                              source->name, *where, keys[i]);
            return NULL;
        }
        dict = value->items;
        *where = keys[i];
    }
    return dict;
}

/* Why a root without a state dict has none. */
static scarlet_status none(const scarlet__items *root, const scarlet__source *source,
                           scarlet_error *err)
{
    static const char *const keys[] = {"model_state", "state_dict", "model", "model_state_dict"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const scarlet__value *value = entry(root, keys[i]);
        if (value && value->kind == SCARLET__OPAQUE && value->global)
            return foreign(source, keys[i], value->global, err);
        if (value && i == 0)
            return scarlet__fail(err, SCARLET_ERROR_MODEL, "%s: %s: not a state dict", source->name,
                                 keys[i]);
    }
    char found[100];
    list_keys(root, found, sizeof found);
    return scarlet__fail(err, SCARLET_ERROR_MODEL,
                         "%s: no state dict: expected one under the key 'model_state', found the "
                         "keys %s",
                         source->name, *found ? found : "(none)");
}

/*
 * "model_state" is the release's key. Files without it are read if exactly one of the other usual
 * keys holds tensors, or if the root itself is nothing but tensors. An optimizer's or an averaged
 * model's dict holds tensors too: nothing is searched for by its looks. NULL sets *status.
 */
static const scarlet__items *find(const scarlet__value *root, const scarlet__source *source,
                                  const char **where, scarlet_status *status, scarlet_error *err)
{
    if (root->kind != SCARLET__DICT) {
        *status =
            root->kind == SCARLET__OPAQUE && root->global
                ? scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                                "%s: a pickled module of class %s.%s; save model.state_dict() "
                                "instead",
                                source->name, root->global->module, root->global->name)
                : scarlet__fail(err, SCARLET_ERROR_MODEL, "%s: no state dict: it holds no dict",
                                source->name);
        return NULL;
    }
    *where = "model_state";
    const scarlet__value *value = entry(root->items, *where);
    if (value && value->kind == SCARLET__DICT)
        return value->items;
    if (!value) {
        const scarlet__items *dict = find_other(root->items, source, where, status, err);
        if (dict || *status != SCARLET_OK)
            return dict;
        if (root->items->count && count_tensors(root->items) == root->items->count / 2) {
            *where = "state dict";
            return root->items;
        }
    }
    *status = none(root->items, source, err);
    return NULL;
}

/* ---- its tensors ---- */

/* Checks shape and strides, and that the last element is within the storage. */
static scarlet_status check_view(const scarlet__view *view, scarlet__tensor *tensor,
                                 const scarlet__source *source, scarlet_error *err)
{
    const scarlet__storage *storage = view->storage;
    int64_t bytes = (int64_t)scarlet__dtype_size(storage->dtype), last = view->offset, step;
    if (view->rank > SCARLET__RANK_MAX)
        return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                             "%s: tensor %s: %zu dimensions; at most %d are read", source->name,
                             tensor->name, view->rank, SCARLET__RANK_MAX);
    *tensor =
        (scarlet__tensor){.name = tensor->name, .dtype = storage->dtype, .rank = (int)view->rank};
    bool negative = view->offset < 0, fits = true;
    for (int i = 0; i < tensor->rank; i++) {
        tensor->shape[i] = view->shape[i];
        tensor->stride[i] = view->stride[i];
        negative = negative || view->shape[i] < 0 || view->stride[i] < 0;
        fits = fits && !__builtin_mul_overflow(bytes, view->shape[i], &bytes);
    }
    if (negative)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "%s: tensor %s: a negative size, stride or offset", source->name,
                             tensor->name);
    tensor->count = fits ? (uint64_t)bytes / scarlet__dtype_size(storage->dtype) : 1;
    for (int i = 0; i < tensor->rank && tensor->count; i++)
        fits = fits && !__builtin_mul_overflow(view->shape[i] - 1, view->stride[i], &step) &&
               !__builtin_add_overflow(last, step, &last);
    if (!fits || (tensor->count && (uint64_t)last >= storage->length)) {
        char shape[64], number[32];
        scarlet__shape_text(tensor, shape, sizeof shape);
        snprintf(number, sizeof number, "%lld", (long long)last);
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "%s: tensor %s %s: needs element %s of storage %s, which has %llu",
                             source->name, tensor->name, shape, fits ? number : "2^63",
                             storage->key, (unsigned long long)storage->length);
    }
    /* An empty tensor may point anywhere. */
    uint64_t first = tensor->count ? storage->first + (uint64_t)view->offset : 0;
    tensor->offset = storage->offset + first * scarlet__dtype_size(storage->dtype);
    return SCARLET_OK;
}

static scarlet_status check_entry(const scarlet__value *key, const scarlet__value *value,
                                  const char *where, const scarlet__source *source,
                                  scarlet_error *err)
{
    char what[128];
    if (key->kind != SCARLET__STRING || strlen(key->bytes) != key->length ||
        scarlet__utf8_check(key->bytes, key->length) != key->length)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: %s: a key that is not a name",
                             source->name, where);
    snprintf(what, sizeof what, "tensor %s", key->bytes);
    if (value->kind == SCARLET__OPAQUE && value->global)
        return foreign(source, what, value->global, err);
    if (value->kind != SCARLET__VIEW)
        return scarlet__fail(err, SCARLET_ERROR_MODEL, "%s: %s: '%s' is not a tensor", source->name,
                             where, key->bytes);
    return SCARLET_OK;
}

scarlet_status scarlet__state_dict_read(const scarlet__pickle *pickle, scarlet__tensors *tensors,
                                        scarlet_error *err)
{
    const scarlet__source *source = tensors->source;
    const char *where;
    scarlet_status status = SCARLET_OK;
    const scarlet__items *dict = find(&pickle->value, source, &where, &status, err);
    if (!dict)
        return status;
    size_t count = dict->count / 2, room = 1;
    if (count > SCARLET__ENTRIES_MAX)
        return scarlet__fail(err, SCARLET_ERROR_LIMIT, "%s: %s: more than %d tensors", source->name,
                             where, SCARLET__ENTRIES_MAX);
    for (size_t i = 0; i < count; i++) {
        status = check_entry(&dict->item[2 * i], &dict->item[2 * i + 1], where, source, err);
        if (status != SCARLET_OK)
            return status;
        room += dict->item[2 * i].length + 1; /* all of them are in the arena: no overflow */
    }
    char *names = tensors->owned = scarlet__alloc(room, 1);
    tensors->tensor = scarlet__alloc(count, sizeof *tensors->tensor);
    if (!names || !tensors->tensor)
        return scarlet__fail_memory(err);
    for (; tensors->count < count; tensors->count++) {
        const scarlet__value *key = &dict->item[2 * tensors->count];
        scarlet__tensor *tensor = &tensors->tensor[tensors->count];
        memcpy(names, key->bytes, key->length + 1);
        tensor->name = names;
        names += key->length + 1;
        status = check_view(key[1].view, tensor, source, err);
        if (status != SCARLET_OK)
            return status;
    }
    return SCARLET_OK;
}
