#include "nas/supernet/supernet.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "nas/units/dense.h"

enum { BEFORE = 2 }; /* layers of a network before the first searched one: stem and separable */

/* ---- parts and banks ---- */

/* A network that shows a choice of each layer. */
typedef struct sample {
    scarlet__network network;
    scarlet__parameters list;
    scarlet__graph graph;
} sample;

/* Shows choice k of each layer, or the last where there are fewer; or the blocks whose weights
 * these choices read. */
static scarlet_status show(const scarlet__supernet *s, int k, bool blocks, sample *out,
                           scarlet_error *err)
{
    const scarlet_space *space = s->space;
    scarlet__genotype genotype = {.count = space->widths.count};
    for (int i = 0; i < genotype.count; i++) {
        const scarlet__choices *layer = &space->layer[i];
        const int choice = k < layer->count ? k : layer->count - 1;
        genotype.layer[i] = blocks && choice != layer->skip
                                ? scarlet__share_block(layer, choice, s->share)
                                : layer->choice[choice];
    }
    scarlet_status status =
        scarlet__network_build(&space->widths, &genotype, space->classes, &out->network, err);
    if (status != SCARLET_OK)
        return status;
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

/* A bank of the tensors of layers first .. last of a sample. */
static int add_bank(scarlet__supernet *s, const sample *from, int first, int last,
                    const char *choice)
{
    scarlet__bank *bank = &s->bank[s->banks];
    bank->first = s->tensors;
    for (size_t i = 0; i < from->list.count; i++) {
        const scarlet__parameter *p = &from->list.item[i];
        if (p->layer < first || p->layer > last || scarlet__is_statistic(p))
            continue;
        bank->floats += p->floats;
        s->tensor[s->tensors] = *p;
        if (choice)
            rename_tensor(&s->tensor[s->tensors], from->network.layer[first].name, choice);
        s->tensors++;
    }
    bank->count = s->tensors - bank->first;
    return s->banks++;
}

/* Sets the sizes of a part of layers first .. last of a sample. */
static void measure(scarlet__part *part, const sample *from, int first, int last)
{
    for (size_t i = 0; i < from->list.count; i++) {
        const scarlet__parameter *p = &from->list.item[i];
        if (p->layer >= first && p->layer <= last)
            *(scarlet__is_statistic(p) ? &part->statistics : &part->floats) += p->floats;
    }
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
    scarlet__bank *bank = &s->bank[part->bank = s->banks++];
    scarlet__parameter *p = &s->tensor[bank->first = s->tensors++];
    *p = (scarlet__parameter){.role = SCARLET__WEIGHT,
                              .layer = index,
                              .rank = 4,
                              .shape = {layer->in, layer->in, 1, 1},
                              .count = (int64_t)layer->in * layer->in,
                              .storage = SCARLET__STORE_DENSE};
    snprintf(p->name, sizeof p->name, "%s.let.weight", layer->name);
    p->floats = (size_t)scarlet__planes(layer->in) * scarlet__dense_plane(layer->in);
    bank->let = true;
    bank->count = 1;
    bank->floats = part->floats = p->floats;
}

/* Choices of a layer that read the same block. */
static bool share_bank(const scarlet__supernet *s, int layer, int a, int b)
{
    const scarlet__choices *of = &s->space->layer[layer];
    if (a == of->skip || b == of->skip)
        return false;
    const scarlet__choice x = scarlet__share_block(of, a, s->share);
    const scarlet__choice y = scarlet__share_block(of, b, s->share);
    return x.expansion == y.expansion && x.kernel == y.kernel && x.squeeze == y.squeeze;
}

/* Where the floats of a choice are in its bank. */
static bool map(const scarlet__supernet *s, scarlet__part *part, const sample *choice, int index)
{
    const scarlet__parameter *block = &s->tensor[s->bank[part->bank].first];
    bool ok = true;
    for (size_t i = 0; ok && i < choice->list.count; i++) {
        const scarlet__parameter *p = &choice->list.item[i];
        if (p->layer == index && !scarlet__is_statistic(p))
            ok = scarlet__share_map(p, block++, &part->runs);
    }
    return ok;
}

static bool add_choice(scarlet__supernet *s, const sample *from, const sample *blocks, int layer,
                       int choice)
{
    scarlet__part *part = &s->part[s->parts++];
    const int index = layer + BEFORE, count = s->space->layer[layer].count;
    part->slot = 1 + layer;
    if (from->network.layer[index].kind != SCARLET_LAYER_BLOCK) {
        part->empty = !s->let;
        if (s->let)
            add_let(s, part, from, index);
        return true;
    }
    part->unit = unit_of(from, index);
    measure(part, from, index, index);
    int first = choice, others = 0;
    for (int k = count - 1; k >= 0; k--)
        if (share_bank(s, layer, choice, k)) {
            first = k;
            others += k != choice;
        }
    if (first == choice) {
        const scarlet__choice block =
            scarlet__share_block(&s->space->layer[layer], choice, s->share);
        char name[SCARLET__CHOICE_SIZE];
        scarlet__choice_print(&block, name);
        part->bank = add_bank(s, blocks, index, index, name);
        s->bank[part->bank].shared = others > 0;
    } else {
        part->bank = s->part[s->layer[layer] + first].bank;
    }
    return !s->bank[part->bank].shared || map(s, part, from, index);
}

static void add_common(scarlet__supernet *s, const sample *from, int slot, int unit, int first,
                       int last)
{
    scarlet__part *part = &s->part[s->parts++];
    part->slot = slot;
    part->unit = from->graph.unit[unit];
    measure(part, from, first, last);
    part->bank = add_bank(s, from, first, last, NULL);
}

/* False if out of memory. */
static bool add_parts(scarlet__supernet *s, const sample *from, const sample *blocks)
{
    const int layers = s->space->widths.count, tail = layers + BEFORE;
    add_common(s, from, 0, 0, 0, BEFORE - 1);
    for (int i = 0; i < layers; i++) {
        s->layer[i] = s->parts;
        for (int k = 0; k < s->space->layer[i].count; k++)
            if (!add_choice(s, &from[k], &blocks[k], i, k))
                return false;
    }
    for (int i = 0; i < 2; i++)
        add_common(s, from, 1 + layers + i, from->graph.count - 2 + i, tail + i, tail + i);
    for (int i = 0; i < s->banks; i++) {
        s->bank[i].offset = s->floats;
        s->floats += s->bank[i].floats;
    }
    return true;
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

scarlet_status scarlet__supernet_make(const scarlet_space *space, bool let, scarlet_share share,
                                      scarlet__supernet *out, scarlet_error *err)
{
    *out = (scarlet__supernet){.space = space, .let = let, .share = share};
    int most = 1;
    size_t tensors = 0, parts = 3;
    for (int i = 0; i < space->widths.count; i++) {
        most = space->layer[i].count > most ? space->layer[i].count : most;
        parts += (size_t)space->layer[i].count;
    }
    sample *from = scarlet__calloc(2 * (size_t)most, sizeof *from),
           *blocks = from ? from + most : NULL;
    scarlet_status status = from ? SCARLET_OK : scarlet__fail_memory(err);
    for (int k = 0; status == SCARLET_OK && k < most; k++) {
        status = show(out, k, false, &from[k], err);
        if (status == SCARLET_OK)
            status = show(out, k, true, &blocks[k], err);
        tensors += blocks[k].list.count + (size_t)space->widths.count; /* a LET each at most */
    }
    if (status == SCARLET_OK) {
        out->part = scarlet__calloc(parts, sizeof *out->part);
        out->bank = scarlet__calloc(parts, sizeof *out->bank);
        out->tensor = scarlet__calloc(tensors, sizeof *out->tensor);
        if (!out->part || !out->bank || !out->tensor || !add_parts(out, from, blocks))
            status = scarlet__fail_memory(err);
    }
    if (status == SCARLET_OK)
        add_largest(out);
    for (int k = 0; from && k < 2 * most; k++)
        scarlet__parameters_free(&from[k].list);
    scarlet__free(from);
    return status;
}

void scarlet__supernet_free(scarlet__supernet *s)
{
    for (int i = 0; i < s->parts; i++)
        scarlet__free(s->part[i].runs.run);
    scarlet__free(s->part);
    scarlet__free(s->bank);
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

void scarlet__part_read(const scarlet__supernet *s, const float *weights, const scarlet__part *part,
                        float *out)
{
    const scarlet__bank *bank = &s->bank[part->bank];
    const float *from = weights + bank->offset;
    if (!bank->shared) {
        memcpy(out, from, part->floats * sizeof *out);
        return;
    }
    memset(out, 0, part->floats * sizeof *out); /* padding */
    for (size_t i = 0; i < part->runs.count; i++) {
        const scarlet__run *run = &part->runs.run[i];
        memcpy(out + run->at, from + run->in_block, run->count * sizeof *out);
    }
}

double *scarlet__part_matrix(const scarlet__supernet *s, const float *weights,
                             const scarlet__part *part)
{
    const scarlet__bank *bank = &s->bank[part->bank];
    const scarlet__parameter *p = &s->tensor[bank->first];
    double *matrix = scarlet__alloc((size_t)p->count, sizeof *matrix);
    for (int64_t i = 0; matrix && i < p->count; i++)
        matrix[i] = (double)weights[bank->offset + scarlet__parameter_place(p, i)];
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
    if (s->share != SCARLET_SHARE_NONE)
        t->weights = scarlet__carve(arena, s->path_floats);
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
        if (t->weights)
            scarlet__part_read(s, weights, part, t->weights + base.parameters);
        else
            base.parameters = s->bank[part->bank].offset;
        t->graph.unit[i] = part->unit;
        t->graph.base[i] = base;
        t->passage.kept[i] = t->slot.kept[part->slot];
        t->passage.x[i + 1] = t->slot.x[part->slot];
        base.parameters += t->weights ? part->floats : 0;
        base.gradients += t->gradients ? part->floats : 0;
        base.running += part->statistics;
        base.statistics += part->statistics;
    }
    t->passage.gradient[0] = t->gradient[0];
    t->passage.gradient[1] = t->gradient[1];
    scarlet__pass *pass = &t->passage.pass;
    pass->pictures = t->pictures;
    pass->scratch = t->scratch;
    pass->parameters = t->weights ? t->weights : weights;
    pass->gradients = t->gradients;
    pass->statistics = t->statistics;
    pass->running = t->running;
}
