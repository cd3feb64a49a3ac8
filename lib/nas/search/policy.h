/*
 * Reinforced mutation: which choice a mutated layer gets is drawn from probabilities that learn, by
 * REINFORCE, from how far children rank before their parents. Our own reading of the published
 * idea.
 */
#ifndef SCARLET_NAS_SEARCH_POLICY_H
#define SCARLET_NAS_SEARCH_POLICY_H

#include "nas/data/random.h"
#include "nas/supernet/spaces.h"

typedef struct scarlet__policy {
    double preference[SCARLET__SPACE_LAYERS_MAX][SCARLET__CHOICES_MAX];
    double usual; /* reward: a moving mean */
} scarlet__policy;

/* A choice of the layer other than `now`: from the policy, or one time in two from all alike. */
int scarlet__policy_draw(const scarlet__policy *policy, const scarlet_space *space, int layer,
                         int now, scarlet__random *random);
/* Learns from a child whose layers differ from its parent's by mutation. */
void scarlet__policy_learn(scarlet__policy *policy, const scarlet_space *space,
                           const scarlet__path *child, const bool *mutated, double reward);

#endif
