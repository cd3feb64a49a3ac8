#include "nas/supernet/deal.h"

#include "nas/data/random.h"

int scarlet__deal_paths(const scarlet_space *space, scarlet_training training)
{
    int most = 1;
    for (int i = 0; training != SCARLET_TRAINING_UNIFORM && i < space->widths.count; i++)
        most = space->layer[i].count > most ? space->layer[i].count : most;
    return most;
}

static void shuffle(int *item, int count, scarlet__random *random)
{
    for (int i = count - 1; i > 0; i--) {
        const int k = (int)scarlet__random_below(random, (uint32_t)i + 1), held = item[i];
        item[i] = item[k];
        item[k] = held;
    }
}

static void count_up(int *item, int count)
{
    for (int i = 0; i < count; i++)
        item[i] = i;
}

/* How often a layer hands out each choice in a step of `paths`. */
static void hand(const scarlet__choices *layer, int index, int paths, uint64_t seed, int64_t step,
                 int times[SCARLET__CHOICES_MAX])
{
    const int n = layer->count, more = paths % n;
    int order[SCARLET__CHOICES_MAX];
    scarlet__random random = scarlet__random_at(seed, SCARLET__RANDOM_ROTATION, 0, (uint64_t)index);
    count_up(order, n);
    shuffle(order, n, &random);
    for (int i = 0; i < n; i++)
        times[i] = paths / n;
    for (int i = 0; i < more; i++) /* goes on where the step before ended */
        times[order[(step % n * more + i) % n]]++;
}

/* Hands a layer's choices out to the paths that have none yet (-1), in a random order. */
static void deal_layer(const scarlet__choices *layer, int index, int paths, scarlet__random *random,
                       int times[SCARLET__CHOICES_MAX], scarlet__path *path)
{
    int left[SCARLET__CHOICES_MAX], count = 0;
    for (int i = 0; i < layer->count; i++)
        for (int k = 0; k < times[i]; k++)
            left[count++] = i;
    shuffle(left, count, random);
    for (int p = 0, next = 0; p < paths; p++)
        if (path[p].choice[index] < 0)
            path[p].choice[index] = left[next++];
}

/* Gives an identity of the layer to the first path from `at` on that has none there. */
static void skip(int index, int identity, int paths, const int *order, int at, scarlet__path *path)
{
    while (path[order[at % paths]].choice[index] >= 0)
        at++;
    path[order[at % paths]].choice[index] = identity;
}

/* Deals identities: the layers that have one left, in groups of random sizes to a path each, until
 * none is left. */
static void deal_skips(const scarlet_space *space, int paths, scarlet__random *random,
                       int times[][SCARLET__CHOICES_MAX], scarlet__path *path)
{
    int order[SCARLET__CHOICES_MAX], at = 0;
    count_up(order, paths);
    shuffle(order, paths, random);
    for (;;) {
        int layer[SCARLET__SPACE_LAYERS_MAX], count = 0;
        for (int i = 0; i < space->widths.count; i++)
            if (space->layer[i].skip >= 0 && times[i][space->layer[i].skip] > 0)
                layer[count++] = i;
        if (count == 0)
            return;
        shuffle(layer, count, random);
        for (int first = 0, size; first < count; first += size, at++) {
            size = 1 + (int)scarlet__random_below(random, (uint32_t)(count - first));
            for (int i = first; i < first + size; i++) {
                const int identity = space->layer[layer[i]].skip;
                times[layer[i]][identity]--;
                skip(layer[i], identity, paths, order, at, path);
            }
        }
    }
}

void scarlet__deal(const scarlet_space *space, scarlet_training training, uint64_t seed,
                   int64_t step, scarlet__path path[SCARLET__CHOICES_MAX])
{
    const int paths = scarlet__deal_paths(space, training), layers = space->widths.count;
    const bool uniform =
        training == SCARLET_TRAINING_UNIFORM || training == SCARLET_TRAINING_UNIFORM_MANY;
    int times[SCARLET__SPACE_LAYERS_MAX][SCARLET__CHOICES_MAX];
    scarlet__random random = scarlet__random_at(seed, SCARLET__RANDOM_DEAL, (uint64_t)step, 0);
    for (int p = 0; p < paths; p++)
        for (int i = 0; i < layers; i++)
            path[p].choice[i] =
                uniform ? (int)scarlet__random_below(&random, (uint32_t)space->layer[i].count) : -1;
    if (uniform)
        return;
    for (int i = 0; i < layers; i++)
        hand(&space->layer[i], i, paths, seed, step, times[i]);
    if (training == SCARLET_TRAINING_DEPTHS)
        deal_skips(space, paths, &random, times, path);
    for (int i = 0; i < layers; i++)
        deal_layer(&space->layer[i], i, paths, &random, times[i], path);
}

void scarlet__largest_path(const scarlet_space *space, scarlet__path *path)
{
    *path = (scarlet__path){0};
    for (int i = 0; i < space->widths.count; i++) {
        int64_t most = -1;
        for (int k = 0; k < space->layer[i].count; k++) {
            const int64_t macs = scarlet__choice_macs(space, i, k);
            if (macs > most) {
                most = macs;
                path->choice[i] = k;
            }
        }
    }
}
