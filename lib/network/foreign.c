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
    const char *module = naming->module[part], *stage = naming->stages;
    if (!stage) {
        snprintf(name, MODULE_SIZE, "%s%d.%s", naming->block, naming->first + i, module);
        return;
    }
    for (; *stage && i >= *stage - '0'; stage++)
        i -= *stage - '0';
    snprintf(name, MODULE_SIZE, "%s%d.%d.%s", naming->block,
             naming->first + (int)(stage - naming->stages), i, module);
}

static const scarlet__tensor *weight_of(const scarlet__tensors *tensors, const char *module)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "%s.weight", module);
    return scarlet__tensors_find(tensors, name);
}

/* Whether the blocks are as many, and as wide. What else there is to check is checked under our
 * names. */
static bool fits(const scarlet__tensors *tensors, const scarlet__space *space,
                 const scarlet__naming *naming)
{
    enum { PROJECTION = SCARLET__BLOCK_MODULES - 2 };
    char name[MODULE_SIZE];
    if (!weight_of(tensors, naming->stem[0]))
        return false;
    for (int i = 0; i < space->count; i++) {
        block_module(naming, i, PROJECTION, name);
        const scarlet__tensor *projection = weight_of(tensors, name);
        if (!projection || projection->rank != 4 ||
            projection->shape[0] != space->layer[i].channels)
            return false;
    }
    block_module(naming, space->count, PROJECTION, name);
    return !weight_of(tensors, name);
}

/* What a file is recognised as. */
typedef struct {
    const scarlet__architecture *architecture; /* NULL: nothing */
    const scarlet__naming *naming;
    scarlet__space space;
} recognised;

static recognised recognise(const scarlet__tensors *tensors)
{
    static const char *const ours[] = {"scarlet.format", "scarlet.space", "scarlet.network"};
    recognised r = {0};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (scarlet__tensors_metadata(tensors, ours[i]))
            return r;
    for (size_t i = 0; (r.architecture = scarlet__architecture_at(i)); i++) {
        if (scarlet__space_parse(r.architecture->space, &r.space, NULL) != SCARLET_OK)
            continue;
        for (int n = 0; n < SCARLET__NAMINGS; n++) {
            r.naming = r.architecture->naming[n];
            if (r.naming && fits(tensors, &r.space, r.naming))
                return r;
        }
    }
    return r;
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
    const recognised found = recognise(tensors);
    const scarlet__architecture *a = found.architecture;
    if (!a)
        return SCARLET_OK;
    const renaming r = {tensors, scarlet__calloc(tensors->count, sizeof *r.name)};
    if (!r.name)
        return scarlet__fail_memory(err);
    rename_modules(&r, found.naming, found.space.count);
    scarlet_status status = scarlet__tensors_rename(tensors, r.name[0], sizeof *r.name, err);
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
