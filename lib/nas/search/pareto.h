/* Points with several objectives, all to be made small, and a constraint. */
#ifndef SCARLET_NAS_SEARCH_PARETO_H
#define SCARLET_NAS_SEARCH_PARETO_H

#include <stdbool.h>
#include <stddef.h>

#include "scarlet/nas.h"

typedef struct scarlet__point {
    double objective[SCARLET_OBJECTIVES_MAX];
    double violation; /* above 0: the constraint is violated, by so much */
} scarlet__point;

/* Constrained domination: without violation before with one, the smaller violation before the
 * larger; without any, no objective is worse and one is better. */
bool scarlet__dominates(const scarlet__point *a, const scarlet__point *b, int objectives);

/* Rank of each point: 0 if none dominates it, else one more than it has without the points of
 * smaller ranks. False if out of memory. */
bool scarlet__pareto_ranks(const scarlet__point *point, size_t count, int objectives, int *rank);
/* Crowding distances of the points of one rank: for each objective, the distance of the neighbours
 * as a share of the range; infinite for the ends. False if out of memory. */
bool scarlet__crowding(const scarlet__point *point, const int *rank, size_t count, int objectives,
                       double *distance);

#endif
