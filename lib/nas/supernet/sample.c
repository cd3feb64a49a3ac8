/* Drawing networks from a space, to be measured. */
#include <math.h>

#include "common/error.h"
#include "nas/data/random.h"
#include "nas/real.h"
#include "nas/supernet/spaces.h"

/* A choice of a layer, the identity left out: cheap ones more often for a tilt below 0, costly ones
 * above. */
static int draw_block(const scarlet_space *space, int layer, double tilt, scarlet__random *random)
{
    const scarlet__choices *c = &space->layer[layer];
    double weight[SCARLET__CHOICES_MAX], sum = 0;
    int64_t macs[SCARLET__CHOICES_MAX];
    for (int i = 0; i < c->count; i++)
        macs[i] = scarlet__choice_macs(space, layer, i);
    for (int i = 0; i < c->count; i++) {
        int cheaper = 0, blocks = 0;
        for (int k = 0; k < c->count; k++) {
            blocks += k != c->skip;
            cheaper += k != c->skip && macs[k] < macs[i];
        }
        double place = blocks > 1 ? 2.0 * cheaper / (blocks - 1) - 1 : 0; /* -1 .. 1 */
        weight[i] = i == c->skip ? 0 : scarlet__real_exp(tilt * place);
        sum += weight[i];
    }
    double at = scarlet__random_unit(random) * sum;
    int last = 0;
    for (int i = 0; i < c->count; i++) {
        if (weight[i] == 0)
            continue;
        last = i;
        if (at < weight[i])
            return i;
        at -= weight[i];
    }
    return last;
}

/* Layers that can be skipped are skipped with equal chances, `skips` of them. */
static void draw_skips(const scarlet_space *space, int skips, scarlet__random *random,
                       bool skipped[SCARLET__SPACE_LAYERS_MAX])
{
    int able = 0;
    for (int i = 0; i < space->widths.count; i++)
        able += space->layer[i].skip >= 0;
    for (int i = 0; i < space->widths.count; i++) {
        skipped[i] = false;
        if (space->layer[i].skip < 0)
            continue;
        skipped[i] = space->layer[i].count == 1 ||
                     scarlet__random_below(random, (uint32_t)able) < (uint32_t)skips;
        able--;
        skips -= skipped[i] && skips > 0;
    }
}

static void draw_path(const scarlet_space *space, scarlet_sampling sampling, uint64_t index,
                      scarlet__random *random, scarlet__path *path)
{
    int able = 0, skips;
    bool skipped[SCARLET__SPACE_LAYERS_MAX];
    double tilt;
    for (int i = 0; i < space->widths.count; i++)
        able += space->layer[i].skip >= 0;
    *path = (scarlet__path){0};
    switch (sampling) {
    case SCARLET_SAMPLING_SPREAD: /* depths in turn; tilts of a low discrepancy */
        skips = (int)(index % (uint64_t)(able + 1));
        tilt = -2.5 + 5 * fmod((double)index * 0.6180339887498949, 1);
        break;
    case SCARLET_SAMPLING_SMALL:
        skips = able - (int)scarlet__random_below(random, (uint32_t)(able / 2 + 1));
        tilt = scarlet__random_between(random, -4, -1);
        break;
    default:
        for (int i = 0; i < space->widths.count; i++)
            path->choice[i] = (int)scarlet__random_below(random, (uint32_t)space->layer[i].count);
        return;
    }
    draw_skips(space, skips, random, skipped);
    for (int i = 0; i < space->widths.count; i++)
        path->choice[i] = skipped[i] ? space->layer[i].skip : draw_block(space, i, tilt, random);
}

scarlet_status scarlet_space_sample(const scarlet_space *space, scarlet_sampling sampling,
                                    uint64_t seed, uint64_t index,
                                    char genotype[SCARLET_GENOTYPE_SIZE], scarlet_error *err)
{
    if (!space || !genotype)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             space ? "genotype" : "space");
    if (sampling < SCARLET_SAMPLING_UNIFORM || sampling > SCARLET_SAMPLING_SMALL)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown sampling %d", (int)sampling);
    scarlet__random random =
        scarlet__random_at(seed, SCARLET__RANDOM_SAMPLE, (uint64_t)sampling, index);
    scarlet__path path;
    draw_path(space, sampling, index, &random, &path);
    scarlet__path_print(space, &path, "id", genotype);
    return SCARLET_OK;
}
