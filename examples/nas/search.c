/*
 * Searches a space of networks with an objective function of the program's own:
 *
 *     search SPACE NETWORKS
 *
 * SPACE is a name ("28px", "243", "default") or a text file; so many networks are evaluated. Those
 * that no other beats are printed: few multiply-adds, many blocks. A program would train, time or
 * weigh each network instead.
 */
#include <scarlet/nas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the objective function needs. */
typedef struct task {
    const scarlet_space *space;
} task;

/* Layers that are not skipped. */
static int blocks(const char *genotype)
{
    int count = *genotype == 'e';
    while ((genotype = strchr(genotype, ',')) != NULL)
        count += *++genotype == 'e';
    return count;
}

static scarlet_status evaluate(void *user, const char *genotype, double *objectives,
                               double *violation, scarlet_error *err)
{
    const task *t = user;
    int64_t macs;
    scarlet_status status = scarlet_space_costs(t->space, genotype, &macs, NULL, err);
    if (status != SCARLET_OK)
        return status;
    objectives[0] = (double)macs;
    objectives[1] = -blocks(genotype); /* objectives are made small */
    *violation = 0;                    /* no constraint */
    return SCARLET_OK;
}

static void print_front(const scarlet_search *search)
{
    const char *genotype;
    double objectives[2];
    for (size_t i = 0; i < scarlet_search_count(search); i++)
        if (scarlet_search_best(search, i) &&
            !scarlet_search_trial(search, i, &genotype, objectives, NULL, NULL))
            printf("%10.0f %3.0f  %s\n", objectives[0], -objectives[1], genotype);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: search SPACE NETWORKS\n");
        return 2;
    }
    scarlet_error err;
    scarlet_space *space = NULL;
    scarlet_search *search = NULL;
    const scarlet_search_settings settings = {
        .objectives = 2, .population = 24, .crossover = 0.9, .seed = 1};
    scarlet_status status = scarlet_space_load(argv[1], &space, &err);
    task t = {space};
    if (status == SCARLET_OK)
        status = scarlet_search_create(space, &settings, evaluate, &t, &search, &err);
    while (status == SCARLET_OK && !scarlet_search_finished(search) &&
           scarlet_search_count(search) < strtoul(argv[2], NULL, 10))
        status = scarlet_search_step(search, &err);
    if (status == SCARLET_OK)
        print_front(search);
    else
        fprintf(stderr, "%s\n", err.message);
    scarlet_search_free(search);
    scarlet_space_free(space);
    return status != SCARLET_OK;
}
