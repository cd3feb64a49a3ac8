#include "nas/supernet/supernet.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "nas/units/dense.h"

enum { BEFORE = 2 }; /* layers of a network before the first searched one: stem and separable */

/* ---- parts ---- */

/* A network that shows choice k of each layer, or the last where there are fewer. */
typedef struct sample {
    scarlet__network network;
    scarlet__parameters list;
    scarlet__graph graph;
} sample;

static scarlet_status show(const scarlet_space *space, int k, sample *out, scarlet_error *err)
{
    scarlet__path path;
    for (int i = 0; i < space->widths.count; i++)
        path.choice[i] = k < space->layer[i].count ? k : space->layer[i].count - 1;
    scarlet__path_network(space, &path, &out->network);
    if (!scarlet__parameters_list(&out->network, &out->list))
        return scarlet__fail_memory(err);
    /* Offsets count from the part on: from the layer, and from the stem for the separable one. */
    size_t weights = 0, statistics = 0;
    for (size_t i = 0; i < out->list.count; i++) {
        scarlet__parameter *p = &out->list.item[i];
        if (i && p->layer != p[-1].layer && p->layer != 1)
            weights = statistics = 0;
        size_t *end = scarlet__is_statistic(p) ? &statistics : &weights;
        p->offset = *end;
        *end += p->floats;
    }
    scarlet__graph_build(&out->network, &out->list, space->input_size, 1, 0, &out->graph);
    return SCARLET_OK;
}

/* "mb_module.3.conv1.weight" of choice e3k5 becomes "mb_module.3.e3k5.conv1.weight". */
static void rename_tensor(scarlet__parameter *p, const char *layer, const char *choice)
{
    char name[sizeof p->name];
    snprintf(name, sizeof name, "%s.%s%s", layer, choice, p->name + strlen(layer));
    memcpy(p->name, name, sizeof name);
}

/* Adds the tensors of layers first .. last of a sample to the part. */
static void add_tensors(scarlet__supernet *s, scarlet__part *part, const sample *from, int first,
                        int last, const char *choice)
{
    part->first = s->tensors;
    for (size_t i = 0; i < from->list.count; i++) {
        const scarlet__parameter *p = &from->list.item[i];
        if (p->layer < first || p->layer > last)
            continue;
        *(scarlet__is_statistic(p) ? &part->statistics : &part->floats) += p->floats;
        if (scarlet__is_statistic(p))
            continue;
        s->tensor[s->tensors] = *p;
        if (choice)
            rename_tensor(&s->tensor[s->tensors], from->network.layer[first].name, choice);
        s->tensors++;
    }
    part->count = s->tensors - part->first;
}

/* The unit of layer `index` of the sample. */
static scarlet__unit unit_of(const sample *from, int index)
{
    int unit = 0; /* the entry */
    for (int i = BEFORE; i <= index; i++)
        unit += from->network.layer[i].kind != SCARLET_LAYER_IDENTITY;
    return from->graph.unit[unit];
}

static void add_let(scarlet__supernet *s, scarlet__part *part, const sample *from, int index)
{
    const scarlet__layer *layer = &from->network.layer[index];
    const int side = scarlet__network_side(&from->network, s->space->input_size, (size_t)index);
    part->unit = (scarlet__unit){.kind = SCARLET__UNIT_LET,
                                 .in = layer->in,
                                 .out = layer->in,
                                 .in_side = side,
                                 .side = side,
                                 .out_side = side};
    scarlet__parameter *p = &s->tensor[part->first = s->tensors++];
    *p = (scarlet__parameter){.role = SCARLET__WEIGHT,
                              .layer = index,
                              .rank = 4,
                              .shape = {layer->in, layer->in, 1, 1},
                              .count = (int64_t)layer->in * layer->in,
                              .storage = SCARLET__STORE_DENSE};
    snprintf(p->name, sizeof p->name, "%s.let.weight", layer->name);
    p->floats = (size_t)scarlet__planes(layer->in) * scarlet__dense_plane(layer->in);
    part->count = 1;
    part->floats = p->floats;
}

static void add_choice(scarlet__supernet *s, const sample *from, int layer, int choice)
{
    scarlet__part *part = &s->part[s->parts++];
    const int index = layer + BEFORE;
    part->slot = 1 + layer;
    char name[SCARLET__CHOICE_SIZE];
    scarlet__choice_print(&s->space->layer[layer].choice[choice], name);
    if (from->network.layer[index].kind == SCARLET_LAYER_BLOCK) {
        part->unit = unit_of(from, index);
        add_tensors(s, part, from, index, index, name);
    } else if (s->let) {
        add_let(s, part, from, index);
    } else {
        part->empty = true;
    }
}

static void add_parts(scarlet__supernet *s, const sample *from)
{
    const int tail = s->space->widths.count + BEFORE;
    scarlet__part *part = &s->part[s->parts++];
    part->unit = from->graph.unit[0];
    add_tensors(s, part, from, 0, BEFORE - 1, NULL);
    for (int i = 0; i < s->space->widths.count; i++) {
        s->layer[i] = s->parts;
        for (int k = 0; k < s->space->layer[i].count; k++)
            add_choice(s, &from[k], i, k);
    }
    for (int i = 0; i < 2; i++) {
        part = &s->part[s->parts++];
        part->slot = 1 + s->space->widths.count + i;
        part->unit = from->graph.unit[from->graph.count - 2 + i];
        add_tensors(s, part, from, tail + i, tail + i, NULL);
    }
    for (int i = 0; i < s->parts; i++) {
        s->part[i].offset = s->floats;
        s->floats += s->part[i].floats;
    }
}

/* The most that a path takes: of each slot the largest part. */
static void add_largest(scarlet__supernet *s)
{
    size_t floats[SCARLET__NETWORK_LAYERS_MAX] = {0};
    size_t statistics[SCARLET__NETWORK_LAYERS_MAX] = {0};
    for (int i = 0; i < s->parts; i++) {
        scarlet__raise(&floats[s->part[i].slot], s->part[i].floats);
        scarlet__raise(&statistics[s->part[i].slot], s->part[i].statistics);
    }
    for (int i = 0; i < SCARLET__NETWORK_LAYERS_MAX; i++) {
        s->path_floats += floats[i];
        s->path_statistics += statistics[i];
    }
}

scarlet_status scarlet__supernet_make(const scarlet_space *space, bool let, scarlet__supernet *out,
                                      scarlet_error *err)
{
    *out = (scarlet__supernet){.space = space, .let = let};
    int most = 1;
    size_t tensors = 0, parts = 3;
    for (int i = 0; i < space->widths.count; i++) {
        most = space->layer[i].count > most ? space->layer[i].count : most;
        parts += (size_t)space->layer[i].count;
    }
    sample *from = scarlet__calloc((size_t)most, sizeof *from);
    scarlet_status status = from ? SCARLET_OK : scarlet__fail_memory(err);
    for (int k = 0; status == SCARLET_OK && k < most; k++) {
        status = show(space, k, &from[k], err);
        tensors += from[k].list.count + (size_t)space->widths.count; /* a LET each at most */
    }
    if (status == SCARLET_OK) {
        out->part = scarlet__calloc(parts, sizeof *out->part);
        out->tensor = scarlet__calloc(tensors, sizeof *out->tensor);
        if (!out->part || !out->tensor)
            status = scarlet__fail_memory(err);
    }
    if (status == SCARLET_OK) {
        add_parts(out, from);
        add_largest(out);
    }
    for (int k = 0; from && k < most; k++)
        scarlet__parameters_free(&from[k].list);
    scarlet__free(from);
    return status;
}

void scarlet__supernet_free(scarlet__supernet *s)
{
    scarlet__free(s->part);
    scarlet__free(s->tensor);
    *s = (scarlet__supernet){0};
}

int scarlet__supernet_parts(const scarlet__supernet *s, const scarlet__path *path,
                            int part[SCARLET__NETWORK_LAYERS_MAX])
{
    int count = 0;
    part[count++] = 0;
    for (int i = 0; i < s->space->widths.count; i++)
        if (!s->part[s->layer[i] + path->choice[i]].empty)
            part[count++] = s->layer[i] + path->choice[i];
    part[count++] = s->parts - 2;
    part[count++] = s->parts - 1;
    return count;
}

double *scarlet__part_matrix(const scarlet__supernet *s, const float *weights,
                             const scarlet__part *part)
{
    const scarlet__parameter *p = &s->tensor[part->first];
    double *matrix = scarlet__alloc((size_t)p->count, sizeof *matrix);
    for (int64_t i = 0; matrix && i < p->count; i++)
        matrix[i] = (double)weights[part->offset + scarlet__parameter_place(p, i)];
    return matrix;
}

/* ---- tracks ---- */

void scarlet__track_carve(const scarlet__supernet *s, int pictures, bool backward,
                          scarlet__carver *arena, scarlet__track *t)
{
    size_t kept[SCARLET__NETWORK_LAYERS_MAX] = {0}, output[SCARLET__NETWORK_LAYERS_MAX] = {0};
    size_t largest = 0;
    *t = (scarlet__track){.pictures = pictures};
    for (int i = 0; i < s->parts; i++) {
        const scarlet__part *part = &s->part[i];
        if (part->empty)
            continue;
        scarlet__raise(&kept[part->slot], scarlet__unit_kept(&part->unit, pictures));
        scarlet__raise(&output[part->slot], scarlet__graph_output(&part->unit, pictures));
        scarlet__raise(&largest, output[part->slot]);
        scarlet__unit_needs(&part->unit, pictures, &t->sizes);
    }
    for (int i = 0; i <= s->part[s->parts - 1].slot; i++) {
        t->slot.kept[i] = scarlet__carve(arena, kept[i]);
        t->slot.x[i] = scarlet__carve(arena, output[i]);
    }
    if (backward) {
        t->gradient[0] = scarlet__carve(arena, largest);
        t->gradient[1] = scarlet__carve(arena, largest);
        t->gradients = scarlet__carve(arena, s->path_floats);
    }
    t->statistics = scarlet__carve(arena, s->path_statistics);
    t->running = scarlet__carve(arena, s->path_statistics);
    t->scratch = scarlet__scratch_carve(arena, &t->sizes);
}

void scarlet__track_take(const scarlet__supernet *s, const float *weights,
                         const scarlet__path *path, scarlet__track *t)
{
    scarlet__base base = {0};
    t->parts = scarlet__supernet_parts(s, path, t->part);
    t->graph = (scarlet__graph){.pictures = t->pictures,
                                .side = s->space->input_size,
                                .classes = s->space->classes,
                                .count = t->parts};
    for (int i = 0; i < t->parts; i++) {
        const scarlet__part *part = &s->part[t->part[i]];
        base.parameters = part->offset;
        t->graph.unit[i] = part->unit;
        t->graph.base[i] = base;
        t->passage.kept[i] = t->slot.kept[part->slot];
        t->passage.x[i + 1] = t->slot.x[part->slot];
        base.gradients += t->gradients ? part->floats : 0;
        base.running += part->statistics;
        base.statistics += part->statistics;
    }
    t->passage.gradient[0] = t->gradient[0];
    t->passage.gradient[1] = t->gradient[1];
    scarlet__pass *pass = &t->passage.pass;
    pass->pictures = t->pictures;
    pass->scratch = t->scratch;
    pass->parameters = weights;
    pass->gradients = t->gradients;
    pass->statistics = t->statistics;
    pass->running = t->running;
}
