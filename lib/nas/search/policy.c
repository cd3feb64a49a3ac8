#include "nas/search/policy.h"

#include "nas/real.h"

static const double rate = 0.2, memory = 0.9;

/* Softmax over the choices but `without` (-1: all). */
static void probabilities(const scarlet__policy *p, const scarlet_space *space, int layer,
                          int without, double out[SCARLET__CHOICES_MAX])
{
    const int count = space->layer[layer].count;
    double most = -1e300, sum = 0;
    for (int i = 0; i < count; i++)
        most = p->preference[layer][i] > most ? p->preference[layer][i] : most;
    for (int i = 0; i < count; i++) {
        out[i] = i == without ? 0 : scarlet__real_exp(p->preference[layer][i] - most);
        sum += out[i];
    }
    for (int i = 0; i < count; i++)
        out[i] /= sum;
}

int scarlet__policy_draw(const scarlet__policy *p, const scarlet_space *space, int layer, int now,
                         scarlet__random *random)
{
    const int count = space->layer[layer].count;
    if (count == 1)
        return now;
    if (scarlet__random_unit(random) < 0.5)
        return (now + 1 + (int)scarlet__random_below(random, (uint32_t)count - 1)) % count;
    double probability[SCARLET__CHOICES_MAX], at = scarlet__random_unit(random);
    probabilities(p, space, layer, now, probability);
    int last = now;
    for (int i = 0; i < count; i++) {
        if (i == now)
            continue;
        last = i;
        if (at < probability[i])
            break;
        at -= probability[i];
    }
    return last;
}

void scarlet__policy_learn(scarlet__policy *p, const scarlet_space *space,
                           const scarlet__path *child, const bool *mutated, double reward)
{
    for (int i = 0; i < space->widths.count; i++) {
        double probability[SCARLET__CHOICES_MAX];
        if (!mutated[i])
            continue;
        probabilities(p, space, i, -1, probability);
        for (int k = 0; k < space->layer[i].count; k++)
            p->preference[i][k] +=
                rate * (reward - p->usual) * ((k == child->choice[i]) - probability[k]);
    }
    p->usual = memory * p->usual + (1 - memory) * reward;
}
