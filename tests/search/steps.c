/* Steps of a search: announced before they are evaluated, and repeated after a failure. */
#include <stdbool.h>

#include "scarlet/nas.h"
#include "test.h"

enum { NETWORKS = 243, NEVER = 1000 };

typedef struct task {
    const scarlet_space *space;
    char announced[NETWORKS][SCARLET_GENOTYPE_SIZE];
    int count, evaluated;
    int fail_at;         /* networks evaluated before one fails */
    bool fail_announced; /* the next announcement fails */
} task;

static scarlet_status announce(void *user, size_t count, const char *const *genotypes,
                               scarlet_error *err)
{
    task *t = user;
    (void)err;
    if (t->fail_announced)
        return SCARLET_ERROR_IO;
    t->count = t->evaluated = 0;
    for (size_t i = 0; CHECK(count <= NETWORKS) && i < count; i++)
        snprintf(t->announced[t->count++], SCARLET_GENOTYPE_SIZE, "%s", genotypes[i]);
    return SCARLET_OK;
}

static scarlet_status evaluate(void *user, const char *genotype, double *objectives,
                               double *violation, scarlet_error *err)
{
    task *t = user;
    int64_t macs, parameters;
    if (t->count)
        CHECK_TEXT(genotype, t->announced[t->evaluated]);
    if (t->evaluated++ == t->fail_at)
        return SCARLET_ERROR_IO;
    scarlet_status status = scarlet_space_costs(t->space, genotype, &macs, &parameters, err);
    objectives[0] = (double)macs;
    objectives[1] = (double)(parameters * 7919 % 1000);
    *violation = 0;
    return status;
}

static scarlet_search *make(task *t, int population)
{
    const scarlet_search_settings settings = {
        .objectives = 2, .population = population, .crossover = 0.9, .reinforced = 1, .seed = 3};
    scarlet_search *search = NULL;
    CHECK(scarlet_search_create(t->space, &settings, evaluate, t, &search, NULL) == SCARLET_OK);
    return search;
}

static const char *genotype_of(const scarlet_search *search, size_t i)
{
    const char *genotype = "";
    scarlet_search_trial(search, i, &genotype, NULL, NULL, NULL);
    return genotype;
}

/* The same networks with announcements as without, and after failures as without. */
static void test_announced(const scarlet_space *space)
{
    static task plain = {.fail_at = NEVER}, told = {.fail_at = NEVER};
    plain.space = told.space = space;
    scarlet_search *a = make(&plain, 16), *b = make(&told, 16);
    scarlet_search_announce(b, announce);
    for (int step = 0; step < 4; step++) {
        told.fail_announced = step == 2;
        told.fail_at = step == 3 ? 5 : NEVER;
        if (step >= 2)
            CHECK(scarlet_search_step(b, NULL) == SCARLET_ERROR_IO);
        CHECK(scarlet_search_count(b) == 16 * (size_t)step);
        told.fail_announced = false;
        told.fail_at = NEVER;
        CHECK(scarlet_search_step(b, NULL) == SCARLET_OK && told.evaluated == 16);
        CHECK(scarlet_search_step(a, NULL) == SCARLET_OK);
    }
    for (size_t i = 0; i < 64; i++)
        CHECK_TEXT(genotype_of(a, i), genotype_of(b, i));
    scarlet_search_free(a);
    scarlet_search_free(b);
}

/* A step that fails did not finish the search, though it would have been the last. */
static void test_last(const scarlet_space *space)
{
    static task t = {.fail_at = 100};
    t.space = space;
    scarlet_search *search = make(&t, 300);
    scarlet_search_announce(search, announce);
    CHECK(scarlet_search_step(search, NULL) == SCARLET_ERROR_IO);
    CHECK(!scarlet_search_finished(search) && scarlet_search_count(search) == 0);
    t.fail_at = NEVER;
    CHECK(scarlet_search_step(search, NULL) == SCARLET_OK);
    CHECK(scarlet_search_finished(search) && scarlet_search_count(search) == NETWORKS);
    scarlet_search_free(search);
}

int main(void)
{
    scarlet_space *space = NULL;
    if (!CHECK(scarlet_space_load("243", &space, NULL) == SCARLET_OK))
        return test_result();
    test_announced(space);
    test_last(space);
    scarlet_space_free(space);
    return test_result();
}
