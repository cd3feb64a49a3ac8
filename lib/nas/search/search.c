/* Searching a space: each step evaluates some networks that were not evaluated before. */
#include <math.h>
#include <string.h>

#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "nas/search/pareto.h"
#include "nas/search/policy.h"

enum { TRIES = 200, TOURNAMENT = 10, EVALUATIONS_MAX = 1000000 };

typedef struct trial {
    scarlet__path path;
    scarlet__point point;
    int step;
    char genotype[SCARLET_GENOTYPE_SIZE];
} trial;

struct scarlet_search {
    scarlet_space *space;
    scarlet_search_settings settings;
    scarlet_objective_fn evaluate;
    scarlet_generation_fn announce;
    void *user;
    trial *trial; /* all networks evaluated, in order */
    size_t count, capacity;
    uint32_t *known; /* hash table of indices into them, plus 1 */
    size_t known_size;
    size_t *member; /* the population: indices */
    size_t members;
    scarlet__policy policy;
    scarlet__random random;
    int step;
    bool finished;
};

/* ---- what has been evaluated ---- */

static uint64_t hash_path(const scarlet_search *s, const scarlet__path *path)
{
    uint64_t hash = 0;
    for (int i = 0; i < s->space->widths.count; i++)
        hash = scarlet__random_mix(hash * 31 + (uint64_t)path->choice[i] + 1);
    return hash;
}

static bool same(const scarlet_search *s, const scarlet__path *a, const scarlet__path *b)
{
    return memcmp(a->choice, b->choice, (size_t)s->space->widths.count * sizeof *a->choice) == 0;
}

/* The place in the table of a path, or where it would be. */
static uint32_t *find(const scarlet_search *s, const scarlet__path *path)
{
    size_t at = hash_path(s, path) % s->known_size;
    while (s->known[at] && !same(s, &s->trial[s->known[at] - 1].path, path))
        at = (at + 1) % s->known_size;
    return &s->known[at];
}

static bool grow_table(scarlet_search *s)
{
    if (2 * (s->count + 1) < s->known_size)
        return true;
    const size_t size = s->known_size ? 2 * s->known_size : 1024;
    uint32_t *table = scarlet__calloc(size, sizeof *table);
    if (!table)
        return false;
    scarlet__free(s->known);
    s->known = table;
    s->known_size = size;
    for (size_t i = 0; i < s->count; i++)
        *find(s, &s->trial[i].path) = (uint32_t)i + 1;
    return true;
}

/* Adds a network that is new, to be evaluated. */
static scarlet_status add(scarlet_search *s, const scarlet__path *path, scarlet_error *err)
{
    if (!grow_table(s) ||
        (s->count == s->capacity && !scarlet__grow((void **)&s->trial, &s->capacity, s->count,
                                                   sizeof *s->trial, EVALUATIONS_MAX)))
        return scarlet__fail_memory(err);
    trial *t = &s->trial[s->count];
    *t = (trial){.path = *path, .step = s->step};
    scarlet__path_print(s->space, path, "id", t->genotype);
    *find(s, path) = (uint32_t)s->count + 1;
    s->count++;
    return SCARLET_OK;
}

static scarlet_status announce(const scarlet_search *s, size_t first, scarlet_error *err)
{
    const size_t count = s->count - first;
    if (!s->announce || count == 0)
        return SCARLET_OK;
    const char **genotype = scarlet__alloc(count, sizeof *genotype);
    if (!genotype)
        return scarlet__fail_memory(err);
    for (size_t i = 0; i < count; i++)
        genotype[i] = s->trial[first + i].genotype;
    scarlet_status status = s->announce(s->user, count, genotype, err);
    scarlet__free(genotype);
    return status;
}

static scarlet_status judge(scarlet_search *s, trial *t, scarlet_error *err)
{
    scarlet_status status =
        s->evaluate(s->user, t->genotype, t->point.objective, &t->point.violation, err);
    for (int i = 0; status == SCARLET_OK && i < s->settings.objectives; i++)
        if (!isfinite(t->point.objective[i]) || !isfinite(t->point.violation))
            status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                   "%.100s: objective %d is not finite", t->genotype, i);
    return status;
}

/* ---- ranks ---- */

typedef struct standing {
    int *rank;
    double *distance;
    scarlet__point *point;
} standing;

static bool stand(const scarlet_search *s, const size_t *index, size_t count, standing *out)
{
    out->rank = scarlet__alloc(count, sizeof *out->rank);
    out->distance = scarlet__alloc(count, sizeof *out->distance);
    out->point = scarlet__alloc(count, sizeof *out->point);
    if (!out->rank || !out->distance || !out->point)
        return false;
    for (size_t i = 0; i < count; i++)
        out->point[i] = s->trial[index[i]].point;
    return scarlet__pareto_ranks(out->point, count, s->settings.objectives, out->rank) &&
           scarlet__crowding(out->point, out->rank, count, s->settings.objectives, out->distance);
}

static void stand_free(standing *st)
{
    scarlet__free(st->rank);
    scarlet__free(st->distance);
    scarlet__free(st->point);
    *st = (standing){0};
}

static bool before(const standing *st, size_t a, size_t b)
{
    if (st->rank[a] != st->rank[b])
        return st->rank[a] < st->rank[b];
    return st->distance[a] > st->distance[b];
}

/* Keeps the best `most` of some networks as the population, in their order. */
static bool survive(scarlet_search *s, const size_t *index, size_t count, size_t most)
{
    standing st = {0};
    bool ok = stand(s, index, count, &st);
    s->members = 0;
    for (size_t i = 0; ok && i < count; i++) {
        size_t better = 0;
        for (size_t k = 0; k < count; k++)
            better += before(&st, k, i) || (!before(&st, i, k) && k < i);
        if (better < most)
            s->member[s->members++] = index[i];
    }
    stand_free(&st);
    return ok;
}

/* ---- candidates ---- */

static void draw_random(scarlet_search *s, scarlet__path *out)
{
    for (int i = 0; i < s->space->widths.count; i++)
        out->choice[i] = (int)scarlet__random_below(&s->random, (uint32_t)s->space->layer[i].count);
}

static int other(scarlet_search *s, int layer, int now)
{
    const int count = s->space->layer[layer].count;
    if (s->settings.reinforced)
        return scarlet__policy_draw(&s->policy, s->space, layer, now, &s->random);
    return count == 1
               ? now
               : (now + 1 + (int)scarlet__random_below(&s->random, (uint32_t)count - 1)) % count;
}

/* Changes each layer with a probability of one over their number. */
static void mutate(scarlet_search *s, scarlet__path *path, bool *mutated)
{
    const int layers = s->space->widths.count;
    for (int i = 0; i < layers; i++) {
        mutated[i] = scarlet__random_below(&s->random, (uint32_t)layers) == 0;
        if (mutated[i])
            path->choice[i] = other(s, i, path->choice[i]);
    }
}

/* One layer of a random network, another choice. */
static void step_aside(scarlet_search *s, scarlet__path *path, bool *mutated)
{
    const int layer = (int)scarlet__random_below(&s->random, (uint32_t)s->space->widths.count);
    memset(mutated, 0, SCARLET__SPACE_LAYERS_MAX * sizeof *mutated);
    mutated[layer] = true;
    path->choice[layer] = other(s, layer, path->choice[layer]);
}

static size_t draw_member(scarlet_search *s)
{
    return scarlet__random_below(&s->random, (uint32_t)s->members);
}

/* The best of `size` members drawn. */
static size_t tournament(scarlet_search *s, const standing *st, int size)
{
    size_t best = draw_member(s);
    for (int i = 1; i < size; i++) {
        const size_t rival = draw_member(s);
        best = before(st, rival, best) ? rival : best;
    }
    return best;
}

/* A network made of members, by the algorithm's own way; returns the parent. */
static size_t breed(scarlet_search *s, const standing *st, scarlet__path *child, bool *mutated)
{
    size_t parent;
    switch (s->settings.algorithm) {
    case SCARLET_SEARCH_LOCAL: /* a neighbour of one of the best */
        do
            parent = draw_member(s);
        while (st->rank[parent] > 0);
        *child = s->trial[s->member[parent]].path;
        step_aside(s, child, mutated);
        break;
    case SCARLET_SEARCH_AGING:
        parent = tournament(s, st, TOURNAMENT);
        *child = s->trial[s->member[parent]].path;
        step_aside(s, child, mutated);
        break;
    default:
        parent = tournament(s, st, 2);
        *child = s->trial[s->member[parent]].path;
        if (scarlet__random_unit(&s->random) < s->settings.crossover) {
            const scarlet__path *mate = &s->trial[s->member[tournament(s, st, 2)]].path;
            const int layers = s->space->widths.count;
            const int cut = 1 + (int)scarlet__random_below(&s->random, (uint32_t)layers);
            for (int i = cut; i < layers; i++)
                child->choice[i] = mate->choice[i];
        }
        mutate(s, child, mutated);
        break;
    }
    return parent;
}

/* A network that is not known yet: bred, or if that fails drawn; false if none is found. */
static bool propose(scarlet_search *s, const standing *st, scarlet__path *child, bool *mutated,
                    size_t *parent)
{
    const bool random = s->settings.algorithm == SCARLET_SEARCH_RANDOM || s->members == 0;
    for (int i = 0; i < TRIES && !random; i++) {
        *parent = breed(s, st, child, mutated);
        if (!*find(s, child))
            return true;
    }
    memset(mutated, 0, SCARLET__SPACE_LAYERS_MAX * sizeof *mutated);
    for (int i = 0; i < 10 * TRIES; i++) {
        draw_random(s, child);
        if (!*find(s, child))
            return true;
    }
    return false;
}

/* In a space of few networks, the first that is not known. */
static bool propose_last(scarlet_search *s, scarlet__path *child)
{
    *child = (scarlet__path){{0}};
    for (size_t tried = 0; tried <= s->count; tried++) {
        if (!*find(s, child))
            return true;
        int i = 0;
        while (i < s->space->widths.count && ++child->choice[i] == s->space->layer[i].count)
            child->choice[i++] = 0;
        if (i == s->space->widths.count)
            return false;
    }
    return false;
}

/* ---- steps ---- */

static double place_of(const standing *st, size_t count, size_t index)
{
    size_t better = 0;
    for (size_t i = 0; i < count; i++)
        better += before(st, i, index);
    return (double)better / (double)count;
}

/* Rewards mutations by how far a child ranks before its parent. */
static bool learn(scarlet_search *s, const size_t *index, size_t count, const size_t *parent,
                  const bool (*mutated)[SCARLET__SPACE_LAYERS_MAX])
{
    standing st = {0};
    const bool ok = stand(s, index, count, &st);
    for (size_t i = s->members; ok && i < count; i++)
        scarlet__policy_learn(
            &s->policy, s->space, &s->trial[index[i]].path, mutated[i - s->members],
            place_of(&st, count, parent[i - s->members]) - place_of(&st, count, i));
    stand_free(&st);
    return ok;
}

static scarlet_status step(scarlet_search *s, scarlet_error *err)
{
    const size_t wanted = (size_t)s->settings.population, old = s->members;
    size_t *index = scarlet__alloc(old + wanted, sizeof *index), made = 0;
    size_t *parent = scarlet__calloc(wanted, sizeof *parent);
    bool(*mutated)[SCARLET__SPACE_LAYERS_MAX] = scarlet__calloc(wanted, sizeof *mutated);
    standing st = {0};
    scarlet_status status = index && parent && mutated && stand(s, s->member, old, &st)
                                ? SCARLET_OK
                                : scarlet__fail_memory(err);
    /* A step that fails is repeated with the same random numbers. */
    const scarlet__random begin = s->random;
    const size_t count = s->count;
    for (; status == SCARLET_OK && made < wanted; made++) {
        scarlet__path child = {0};
        if (!propose(s, &st, &child, mutated[made], &parent[made]) && !propose_last(s, &child)) {
            s->finished = true;
            break;
        }
        status = add(s, &child, err);
    }
    if (status == SCARLET_OK)
        status = announce(s, count, err);
    for (size_t i = count; status == SCARLET_OK && i < s->count; i++)
        status = judge(s, &s->trial[i], err);
    if (status == SCARLET_OK) {
        if (old)
            memcpy(index, s->member, old * sizeof *index);
        for (size_t i = 0; i < made; i++)
            index[old + i] = count + i;
        const bool aging = s->settings.algorithm == SCARLET_SEARCH_AGING;
        bool ok =
            !s->settings.reinforced || !old ||
            learn(s, index, old + made, parent, (const bool(*)[SCARLET__SPACE_LAYERS_MAX])mutated);
        const size_t skip = aging && old + made > wanted ? old + made - wanted : 0;
        ok = ok && survive(s, index + skip, old + made - skip, wanted);
        status = ok ? SCARLET_OK : scarlet__fail_memory(err);
        s->step++;
    } else {
        for (size_t i = 0; i < s->known_size; i++)
            s->known[i] = s->known[i] > count ? 0 : s->known[i];
        s->count = count;
        s->random = begin;
        s->finished = false;
    }
    stand_free(&st);
    scarlet__free(index);
    scarlet__free(parent);
    scarlet__free(mutated);
    return status;
}

/* ---- public ---- */

scarlet_status scarlet_search_create(const scarlet_space *space,
                                     const scarlet_search_settings *settings,
                                     scarlet_objective_fn evaluate, void *user,
                                     scarlet_search **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!space || !settings || !evaluate)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "an argument is NULL");
    const scarlet_search_settings *set = settings;
    if (set->objectives < 1 || set->objectives > SCARLET_OBJECTIVES_MAX || set->population < 1 ||
        set->population > 10000 || !(set->crossover >= 0 && set->crossover <= 1) ||
        set->algorithm < SCARLET_SEARCH_NSGA2 || set->algorithm > SCARLET_SEARCH_AGING)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "settings of a search are out of range");
    scarlet_search *s = scarlet__calloc(1, sizeof *s);
    if (!s)
        return scarlet__fail_memory(err);
    s->settings = *settings;
    s->evaluate = evaluate;
    s->user = user;
    s->random = scarlet__random_at(settings->seed, SCARLET__RANDOM_SEARCH, 0, 0);
    s->member = scarlet__alloc((size_t)settings->population, sizeof *s->member);
    scarlet_status status =
        scarlet__space_copy(space, space->input_size, space->classes, &s->space, err);
    if (status == SCARLET_OK && (!s->member || !grow_table(s)))
        status = scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        *out = s;
    else
        scarlet_search_free(s);
    return status;
}

void scarlet_search_announce(scarlet_search *s, scarlet_generation_fn fn)
{
    if (s)
        s->announce = fn;
}

void scarlet_search_free(scarlet_search *s)
{
    if (!s)
        return;
    scarlet_space_free(s->space);
    scarlet__free(s->trial);
    scarlet__free(s->known);
    scarlet__free(s->member);
    scarlet__free(s);
}

scarlet_status scarlet_search_step(scarlet_search *s, scarlet_error *err)
{
    if (!s)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "search is NULL");
    if (s->finished)
        return SCARLET_OK;
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = step(s, err);
    scarlet__host_leave(&host);
    return status;
}

size_t scarlet_search_count(const scarlet_search *s)
{
    return s ? s->count : 0;
}

int32_t scarlet_search_finished(const scarlet_search *s)
{
    return s && s->finished;
}

scarlet_status scarlet_search_trial(const scarlet_search *s, size_t index, const char **genotype,
                                    double *objectives, double *violation, int32_t *step_of)
{
    if (!s || index >= s->count)
        return SCARLET_ERROR_ARGUMENT;
    const trial *t = &s->trial[index];
    if (genotype)
        *genotype = t->genotype;
    for (int i = 0; objectives && i < s->settings.objectives; i++)
        objectives[i] = t->point.objective[i];
    if (violation)
        *violation = t->point.violation;
    if (step_of)
        *step_of = t->step;
    return SCARLET_OK;
}

int32_t scarlet_search_best(const scarlet_search *s, size_t index)
{
    if (!s || index >= s->count)
        return 0;
    for (size_t i = 0; i < s->count; i++)
        if (scarlet__dominates(&s->trial[i].point, &s->trial[index].point, s->settings.objectives))
            return 0;
    return 1;
}
