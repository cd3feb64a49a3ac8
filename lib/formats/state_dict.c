#include "formats/state_dict.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "formats/bookkeeping.h"
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

/* Others among them are then passed over or refused by name. */
static bool mostly_tensors(const scarlet__items *dict)
{
    return count_tensors(dict) > dict->count / 2 / 2;
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

/* Where files have a state dict. "model_state" is the release's key and wins; then the one of the
 * others that holds tensors, the trained weights before their average. */
static const struct {
    const char *key;
    bool averaged;
} places[] = {
    {"model_state", false},      {"state_dict", false}, {"model", false},
    {"model_state_dict", false}, {"net", false},        {"params", false},
    {"module", false},           {"ema", true},         {"state_dict_ema", true},
    {"model_ema", true},         {"params_ema", true},
};
enum { PLACES = sizeof places / sizeof *places };

/* The dict of tensors that a value is, or that is the first of a list. `where` is completed. */
static const scarlet__items *dict_of(const scarlet__value *value, char *where, size_t room)
{
    if (value->kind == SCARLET__DICT)
        return count_tensors(value->items) ? value->items : NULL;
    if (value->kind != SCARLET__LIST && value->kind != SCARLET__TUPLE)
        return NULL;
    for (size_t i = 0; i < value->items->count; i++) {
        const scarlet__value *item = &value->items->item[i];
        if (item->kind == SCARLET__DICT && count_tensors(item->items)) {
            size_t used = strlen(where);
            snprintf(where + used, room - used, "[%zu]", i);
            return item->items;
        }
    }
    return NULL;
}

/* Looks at the usual keys but the first. NULL if none of them holds tensors, or if two do. */
static const scarlet__items *find_other(const scarlet__items *root, scarlet__tensors *tensors,
                                        scarlet_status *status, scarlet_error *err)
{
    const scarlet__items *found = NULL;
    bool averaged = false;
    for (size_t i = 1; i < PLACES; i++) {
        const scarlet__value *value = entry(root, places[i].key);
        char where[sizeof tensors->taken];
        snprintf(where, sizeof where, "%s", places[i].key);
        const scarlet__items *dict = value ? dict_of(value, where, sizeof where) : NULL;
        if (!dict || (found && places[i].averaged && !averaged))
            continue;
        if (found) {
            *status =
                scarlet__fail(err, SCARLET_ERROR_MODEL,
                              "%s: both '%s' and '%s' hold tensors; keep one, as 'model_state'",
                              tensors->source->name, tensors->taken, where);
            return NULL;
        }
        found = dict;
        averaged = places[i].averaged;
        memcpy(tensors->taken, where, sizeof where);
    }
    return found;
}

/* Why a root without a state dict has none. */
static scarlet_status none(const scarlet__items *root, const scarlet__source *source,
                           scarlet_error *err)
{
    for (size_t i = 0; i < PLACES; i++) {
        const scarlet__value *value = entry(root, places[i].key);
        if (value && value->kind == SCARLET__OPAQUE && value->global)
            return foreign(source, places[i].key, value->global, err);
        if (value && i == 0)
            return scarlet__fail(err, SCARLET_ERROR_MODEL, "%s: %s: not a state dict", source->name,
                                 places[i].key);
    }
    if (entry(root, "param_groups") && entry(root, "state"))
        return scarlet__fail(err, SCARLET_ERROR_MODEL,
                             "%s: the state of an optimizer, not of a network; the weights are in "
                             "another file",
                             source->name);
    char found[100];
    list_keys(root, found, sizeof found);
    return scarlet__fail(err, SCARLET_ERROR_MODEL,
                         "%s: no state dict: expected one under the key 'model_state', found the "
                         "keys %s",
                         source->name, *found ? found : "(none)");
}

/* Nothing is searched for by its looks: an optimizer's dict holds tensors too. A dict of more
 * tensors than other things is taken itself. NULL sets *status. */
static const scarlet__items *find(const scarlet__value *root, scarlet__tensors *tensors,
                                  scarlet_status *status, scarlet_error *err)
{
    const scarlet__source *source = tensors->source;
    if (root->kind != SCARLET__DICT) {
        const scarlet__items *dict = dict_of(root, tensors->taken, sizeof tensors->taken);
        if (dict)
            return dict;
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
    const scarlet__value *value = entry(root->items, places[0].key);
    if (value && value->kind == SCARLET__DICT) {
        snprintf(tensors->taken, sizeof tensors->taken, "%s", places[0].key);
        return value->items;
    }
    if (!value) {
        const scarlet__items *dict = find_other(root->items, tensors, status, err);
        if (dict || *status != SCARLET_OK)
            return dict;
        if (mostly_tensors(root->items))
            return root->items;
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

/* Whether an entry that is no tensor may be passed over. */
static bool passed_over(const scarlet__value *key, const scarlet__value *value)
{
    return value->kind != SCARLET__VIEW && key->kind == SCARLET__STRING &&
           strlen(key->bytes) == key->length && scarlet__is_bookkeeping(key->bytes);
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

scarlet_status scarlet__state_dict_find(const scarlet__pickle *pickle, scarlet__tensors *tensors,
                                        scarlet__state_dict *out, scarlet_error *err)
{
    const scarlet__source *source = tensors->source;
    scarlet_status status = SCARLET_OK;
    *out =
        (scarlet__state_dict){.names = 1, .entries = find(&pickle->value, tensors, &status, err)};
    if (!out->entries)
        return status;
    out->where = *tensors->taken ? tensors->taken : "state dict";
    const scarlet__value *item = out->entries->item;
    if (out->entries->count / 2 > SCARLET__ENTRIES_MAX)
        return scarlet__fail(err, SCARLET_ERROR_LIMIT, "%s: %s: more than %d tensors", source->name,
                             out->where, SCARLET__ENTRIES_MAX);
    for (size_t i = 0; i < out->entries->count; i += 2) {
        out->names += (size_t)item[i].length + 1;
        if (out->names > SCARLET__PICKLE_MEMORY_MAX) /* many may be one string of the pickle */
            return scarlet__fail(err, SCARLET_ERROR_LIMIT, "%s: %s: names of more than 64 MiB",
                                 source->name, out->where);
        if (passed_over(&item[i], &item[i + 1]))
            continue;
        status = check_entry(&item[i], &item[i + 1], out->where, source, err);
        if (status != SCARLET_OK)
            return status;
        item[i + 1].view->storage->wanted = true;
    }
    return SCARLET_OK;
}

const char *scarlet__storage_owner(const scarlet__state_dict *dict, const char *key,
                                   char text[SCARLET__OWNER_SIZE])
{
    *text = '\0';
    for (size_t i = 0; i < dict->entries->count && !*text; i += 2) {
        const scarlet__value *item = &dict->entries->item[i];
        if (item[1].kind == SCARLET__VIEW && strcmp(item[1].view->storage->key, key) == 0)
            snprintf(text, SCARLET__OWNER_SIZE, "tensor %.96s: ", item->bytes);
    }
    return text;
}

scarlet_status scarlet__state_dict_read(const scarlet__state_dict *dict, scarlet__tensors *tensors,
                                        scarlet_error *err)
{
    const scarlet__value *item = dict->entries->item;
    const size_t count = dict->entries->count;
    char *names = tensors->owned = scarlet__alloc(dict->names, 1);
    tensors->tensor = scarlet__alloc(count / 2, sizeof *tensors->tensor);
    if (!names || !tensors->tensor)
        return scarlet__fail_memory(err);
    for (size_t i = 0; i < count; i += 2) {
        if (passed_over(&item[i], &item[i + 1]))
            continue;
        scarlet__tensor *tensor = &tensors->tensor[tensors->count];
        memcpy(names, item[i].bytes, item[i].length + 1);
        tensor->name = names;
        names += item[i].length + 1;
        scarlet_status status = check_view(item[i + 1].view, tensor, tensors->source, err);
        if (status != SCARLET_OK)
            return status;
        tensors->count++;
    }
    return SCARLET_OK;
}
