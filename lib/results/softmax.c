#include <math.h>

#include "scarlet/scarlet.h"

#include "common/host.h"

void scarlet_softmax(const float *scores, size_t n, float *probabilities)
{
    if (!scores || !probabilities || n == 0)
        return;
    scarlet__host host = scarlet__host_enter();
    /* Subtracting the largest score keeps exp from overflowing. A NaN or +infinity needs no case of
     * its own: it makes `sum` NaN, and so every quotient. */
    float largest = scores[0];
    for (size_t i = 1; i < n; i++)
        if (scores[i] > largest)
            largest = scores[i];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp((double)scores[i] - (double)largest);
    for (size_t i = 0; i < n; i++)
        probabilities[i] = (float)(exp((double)scores[i] - (double)largest) / sum);
    scarlet__host_leave(&host);
}
