#include "formats/torch_names.h"

#include <string.h>

#include "common/memory.h"
#include "formats/sort.h"

static const struct {
    const char *module, *name;
    scarlet__meaning meaning;
    scarlet__dtype dtype;
} known[] = {
    {"collections", "OrderedDict", SCARLET__MEANS_ORDERED_DICT, 0},
    {"torch", "Size", SCARLET__MEANS_SIZE, 0},
    {"torch._utils", "_rebuild_tensor", SCARLET__MEANS_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor_v2", SCARLET__MEANS_TENSOR, 0},
    {"torch._utils", "_rebuild_parameter", SCARLET__MEANS_PARAMETER, 0},
    {"torch._utils", "_rebuild_parameter_with_state", SCARLET__MEANS_PARAMETER, 0},
    {"torch._tensor", "_rebuild_from_type_v2", SCARLET__MEANS_FROM_TYPE, 0},
    {"torch", "DoubleStorage", SCARLET__MEANS_STORAGE, SCARLET__F64},
    {"torch", "FloatStorage", SCARLET__MEANS_STORAGE, SCARLET__F32},
    {"torch", "HalfStorage", SCARLET__MEANS_STORAGE, SCARLET__F16},
    {"torch", "BFloat16Storage", SCARLET__MEANS_STORAGE, SCARLET__BF16},
    {"torch", "LongStorage", SCARLET__MEANS_STORAGE, SCARLET__I64},
    {"torch", "IntStorage", SCARLET__MEANS_STORAGE, SCARLET__I32},
    {"torch", "ShortStorage", SCARLET__MEANS_STORAGE, SCARLET__I16},
    {"torch", "CharStorage", SCARLET__MEANS_STORAGE, SCARLET__I8},
    {"torch", "ByteStorage", SCARLET__MEANS_STORAGE, SCARLET__U8},
    {"torch", "BoolStorage", SCARLET__MEANS_STORAGE, SCARLET__BOOL},
};

/* Nothing here runs them either, but a file that names one was made to attack other readers.
 * An empty name means the whole module with its submodules. */
static const struct {
    const char *module, *name;
} dangerous[] = {
    {"os", ""},
    {"posix", ""},
    {"nt", ""},
    {"sys", ""},
    {"subprocess", ""},
    {"builtins", "eval"},
    {"builtins", "exec"},
    {"builtins", "compile"},
    {"builtins", "__import__"},
    {"__builtin__", "eval"},
    {"__builtin__", "execfile"},
    {"__builtin__", "compile"},
    {"__builtin__", "__import__"},
};

/* Whether the dotted name is `first` or continues it. */
static bool leads(const char *dotted, const char *first)
{
    size_t length = strlen(first);
    return strncmp(dotted, first, length) == 0 && (dotted[length] == '\0' || dotted[length] == '.');
}

void scarlet__global_lookup(scarlet__global *global)
{
    global->meaning = SCARLET__MEANS_NOTHING;
    for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++)
        if (leads(global->module, dangerous[i].module) &&
            (!*dangerous[i].name || leads(global->name, dangerous[i].name)))
            global->meaning = SCARLET__MEANS_DANGER;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(global->module, known[i].module) == 0 &&
            strcmp(global->name, known[i].name) == 0) {
            global->meaning = known[i].meaning;
            global->dtype = known[i].dtype;
        }
    }
}

/* ---- calls ---- */

static bool opaque(scarlet__value *result, const scarlet__global *global)
{
    *result = (scarlet__value){.kind = SCARLET__OPAQUE, .global = global};
    return true;
}

static bool wrong(const char **problem, const char *text)
{
    *problem = text;
    return false;
}

static bool sequence(const scarlet__value *value)
{
    return value->kind == SCARLET__TUPLE || value->kind == SCARLET__LIST;
}

/* OrderedDict() by Python 3; OrderedDict([[key, value], ...]) by Python 2. */
static bool make_dict(scarlet__heap *heap, const scarlet__items *args, scarlet__value *result,
                      const char **problem)
{
    scarlet__items *dict = scarlet__arena_alloc(&heap->arena, 1, sizeof *dict);
    if (!dict)
        return false;
    *dict = (scarlet__items){0};
    *result = (scarlet__value){.kind = SCARLET__DICT, .items = dict};
    if (args->count == 0)
        return true;
    if (args->item[0].kind == SCARLET__OPAQUE)
        return opaque(result, args->item[0].global);
    if (args->count != 1 || !sequence(&args->item[0]))
        return wrong(problem, "OrderedDict: expected a list of pairs");
    const scarlet__items *pairs = args->item[0].items;
    for (size_t i = 0; i < pairs->count; i++) {
        const scarlet__value *pair = &pairs->item[i];
        if (!sequence(pair) || pair->items->count != 2)
            return wrong(problem, "OrderedDict: expected a list of pairs");
        if (!scarlet__items_add(&heap->arena, dict, pair->items->item, 2))
            return false;
    }
    return true;
}

/* A tuple of integers; those after the first SCARLET__RANK_MAX are only counted, since
 * many views may share one long tuple. */
static bool integers(const scarlet__value *tuple, int64_t *out, size_t *count)
{
    if (!sequence(tuple))
        return false;
    *count = tuple->items->count;
    for (size_t i = 0; i < *count && i < SCARLET__RANK_MAX; i++) {
        if (tuple->items->item[i].kind != SCARLET__INT)
            return false;
        out[i] = tuple->items->item[i].integer;
    }
    return true;
}

/* (storage, offset, size, stride, ...): the rest says nothing about the values. */
static bool make_view(scarlet__heap *heap, const scarlet__items *args, scarlet__value *result,
                      const char **problem)
{
    const scarlet__value *arg = args->item;
    if (args->count >= 1 && arg[0].kind == SCARLET__OPAQUE)
        return opaque(result, arg[0].global);
    if (args->count < 4 || arg[0].kind != SCARLET__STORAGE || arg[1].kind != SCARLET__INT)
        return wrong(problem, "tensor: expected (storage, offset, size, stride)");
    scarlet__view *view = scarlet__arena_alloc(&heap->arena, 1, sizeof *view);
    size_t strides;
    if (!view)
        return false;
    *view = (scarlet__view){.storage = arg[0].storage, .offset = arg[1].integer};
    if (!integers(&arg[2], view->shape, &view->rank) || !integers(&arg[3], view->stride, &strides))
        return wrong(problem, "tensor: size and stride must be tuples of integers");
    if (view->rank != strides)
        return wrong(problem, "tensor: size and stride differ in length");
    *result = (scarlet__value){.kind = SCARLET__VIEW, .view = view};
    return true;
}

bool scarlet__torch_call(scarlet__heap *heap, const scarlet__global *function,
                         const scarlet__value *args, scarlet__value *result, const char **problem)
{
    *problem = NULL;
    if (args->kind != SCARLET__TUPLE)
        return args->kind == SCARLET__OPAQUE
                   ? opaque(result, args->global ? args->global : function)
                   : wrong(problem, "arguments are not a tuple");
    const scarlet__items *items = args->items;
    if (function->meaning == SCARLET__MEANS_FROM_TYPE) { /* (function, type, arguments, state) */
        if (items->count != 4 || items->item[0].kind != SCARLET__GLOBAL ||
            items->item[2].kind != SCARLET__TUPLE)
            return wrong(problem, "expected (function, type, arguments, state)");
        function = items->item[0].global;
        items = items->item[2].items;
    }
    switch (function->meaning) {
    case SCARLET__MEANS_ORDERED_DICT:
        return make_dict(heap, items, result, problem);
    case SCARLET__MEANS_TENSOR:
        return make_view(heap, items, result, problem);
    case SCARLET__MEANS_PARAMETER: /* (tensor, requires_grad, hooks, ...) */
        if (items->count < 1 ||
            (items->item[0].kind != SCARLET__VIEW && items->item[0].kind != SCARLET__OPAQUE))
            return wrong(problem, "parameter: expected a tensor");
        *result = items->item[0];
        return true;
    case SCARLET__MEANS_SIZE: /* (tuple,) */
        if (items->count != 1 || !sequence(&items->item[0]))
            return wrong(problem, "torch.Size: expected a tuple");
        *result = items->item[0];
        return true;
    default:
        return opaque(result, function);
    }
}

enum { KEY_MAX = 255 }; /* torch's are numbers; many storages may share one long key */

/* ("storage", class, key, location, numel[, None or (view key, offset, length)]) */
static bool make_storage(scarlet__heap *heap, const scarlet__items *id, scarlet__value *result,
                         const char **problem)
{
    const scarlet__value *item = id->item;
    if (id->count < 5 || id->count > 6 || item[2].kind != SCARLET__STRING ||
        item[2].length > KEY_MAX || strlen(item[2].bytes) != item[2].length ||
        item[4].kind != SCARLET__INT || item[4].integer < 0)
        return wrong(problem, "storage: expected (\"storage\", class, key, location, numel, view)");
    if (heap->storage_count == SCARLET__ENTRIES_MAX)
        return wrong(problem, "more than 65536 references to storages");
    if (!scarlet__grow((void **)&heap->storage, &heap->storage_room, heap->storage_count,
                       sizeof(scarlet__storage *), SCARLET__ENTRIES_MAX))
        return false;
    scarlet__storage *storage = scarlet__arena_alloc(&heap->arena, 1, sizeof *storage);
    if (!storage)
        return false;
    *storage = (scarlet__storage){.key = item[2].bytes,
                                  .dtype = item[1].global->dtype,
                                  .numel = (uint64_t)item[4].integer,
                                  .length = (uint64_t)item[4].integer};
    if (id->count == 6 && item[5].kind != SCARLET__NONE) {
        const scarlet__value *part = item[5].kind == SCARLET__TUPLE ? item[5].items->item : NULL;
        if (!part || item[5].items->count != 3 || part[1].kind != SCARLET__INT ||
            part[2].kind != SCARLET__INT || part[1].integer < 0 || part[2].integer < 0)
            return wrong(problem, "storage: expected a view (key, offset, length)");
        storage->first = (uint64_t)part[1].integer;
        storage->length = (uint64_t)part[2].integer;
        if (storage->first > storage->numel || storage->length > storage->numel - storage->first)
            return wrong(problem, "storage: a view beyond its end");
    }
    heap->storage[heap->storage_count++] = storage;
    *result = (scarlet__value){.kind = SCARLET__STORAGE, .storage = storage};
    return true;
}

bool scarlet__torch_persistent(scarlet__heap *heap, const scarlet__value *id,
                               scarlet__value *result, const char **problem)
{
    *problem = NULL;
    if (id->kind != SCARLET__TUPLE || id->items->count < 2)
        return wrong(problem, "a persistent id that is not torch's");
    const scarlet__value *item = id->items->item;
    if (item[1].kind != SCARLET__GLOBAL && item[1].kind != SCARLET__OPAQUE)
        return wrong(problem, "a persistent id without a class");
    if (scarlet__value_is(&item[0], "storage"))
        return item[1].kind == SCARLET__GLOBAL && item[1].global->meaning == SCARLET__MEANS_STORAGE
                   ? make_storage(heap, id->items, result, problem)
                   : opaque(result, item[1].global);
    if (scarlet__value_is(&item[0], "module")) /* a class of a pickled nn.Module, with its source */
        return opaque(result, item[1].global);
    return wrong(problem, "a persistent id that is not torch's");
}
