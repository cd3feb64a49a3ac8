#include "network/foreign.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/open.h"
#include "network/architectures.h"

enum { MODULE_SIZE = 48, NAME_SIZE = MODULE_SIZE + 24 }; /* of names with their NUL */

/* Name of module `part` of block `i`. */
static void block_module(const scarlet__naming *naming, int i, int part, char name[MODULE_SIZE])
{
    const char *number = strstr(naming->block, "%d");
    snprintf(name, MODULE_SIZE, "%.*s%d%s%s", (int)(number - naming->block), naming->block,
             naming->first + i, number + 2, naming->module[part]);
}

static const scarlet__tensor *weight_of(const scarlet__tensors *tensors, const char *module)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s.weight", module);
    return scarlet__tensors_find(tensors, name);
}

/* Whether the blocks are as many, and as wide. What else there is to check is checked under our
 * names. */
static bool fits(const scarlet__tensors *tensors, const scarlet__architecture *a)
{
    char name[MODULE_SIZE];
    scarlet__space space;
    if (!weight_of(tensors, a->naming->stem[0]) ||
        scarlet__space_parse(a->space, &space, NULL) != SCARLET_OK)
        return false;
    for (int i = 0; i < space.count; i++) {
        block_module(a->naming, i, SCARLET__BLOCK_MODULES - 2, name);
        const scarlet__tensor *projection = weight_of(tensors, name);
        if (!projection || projection->rank != 4 || projection->shape[0] != space.layer[i].channels)
            return false;
    }
    block_module(a->naming, space.count, SCARLET__BLOCK_MODULES - 2, name);
    return !weight_of(tensors, name);
}

static const scarlet__architecture *recognise(const scarlet__tensors *tensors)
{
    static const char *const ours[] = {"scarlet.format", "scarlet.space", "scarlet.network"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (scarlet__tensors_metadata(tensors, ours[i]))
            return NULL;
    const scarlet__architecture *a;
    for (size_t i = 0; (a = scarlet__architecture_at(i)); i++)
        if (fits(tensors, a))
            return a;
    return NULL;
}

/* Names for tensors; empty ones stay as they are. */
typedef struct {
    const scarlet__tensors *tensors;
    char (*name)[NAME_SIZE]; /* of each tensor */
} renaming;

/* Gives the tensors of a module of theirs the name of ours. */
static void rename_module(const renaming *r, const char *theirs, const char *ours)
{
    static const char *const part[] = {"weight", "bias", "running_mean", "running_var",
                                       "num_batches_tracked"};
    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%s.%s", theirs, part[i]);
        const scarlet__tensor *tensor = scarlet__tensors_find(r->tensors, name);
        if (tensor)
            snprintf(r->name[tensor - r->tensors->tensor], NAME_SIZE, "%s.%s", ours, part[i]);
    }
}

static void rename_modules(const renaming *r, const scarlet__naming *from, int blocks)
{
    const scarlet__naming *to = &scarlet__naming_own;
    char theirs[MODULE_SIZE], ours[MODULE_SIZE];
    for (int i = 0; i < 2; i++) {
        rename_module(r, from->stem[i], to->stem[i]);
        rename_module(r, from->tail[i], to->tail[i]);
    }
    for (int i = 0; i < 4; i++)
        rename_module(r, from->separable[i], to->separable[i]);
    for (int i = 0; i < blocks; i++)
        for (int part = 0; part < SCARLET__BLOCK_MODULES; part++) {
            block_module(from, i, part, theirs);
            block_module(to, i, part, ours);
            rename_module(r, theirs, ours);
        }
    rename_module(r, from->classifier, to->classifier);
}

scarlet_status scarlet__foreign_adopt(scarlet__tensors *tensors, scarlet_error *err)
{
    const scarlet__architecture *a = recognise(tensors);
    scarlet__space space;
    if (!a)
        return SCARLET_OK;
    scarlet_status status = scarlet__space_parse(a->space, &space, err);
    const renaming r = {tensors, scarlet__calloc(tensors->count, sizeof *r.name)};
    if (status == SCARLET_OK && !r.name)
        status = scarlet__fail_memory(err);
    if (status != SCARLET_OK)
        return status;
    rename_modules(&r, a->naming, space.count);
    status = scarlet__tensors_rename(tensors, r.name[0], sizeof *r.name, err);
    const struct {
        const char *key, *value;
    } says[] = {
        {"scarlet.format", "2"},       {"scarlet.space", a->space},
        {"scarlet.network", a->style}, {"scarlet.input_size", a->input_size},
        {"scarlet.resize", a->resize}, {"scarlet.mean", a->mean},
        {"scarlet.std", a->std},
    };
    for (size_t i = 0; i < sizeof says / sizeof *says && status == SCARLET_OK; i++)
        if (says[i].value && !scarlet__tensors_metadata(tensors, says[i].key))
            status = scarlet__tensors_add_metadata(tensors, says[i].key, says[i].value, err);
    return status;
}
