#include "nas/units/loss.h"

#include "nas/real.h"

double scarlet__loss(const scarlet__pass *pass, int classes, const float *targets, float factor,
                     float *logits)
{
    const size_t plane = scarlet__plane((size_t)pass->pictures);
    double loss = 0;
    for (size_t i = 0; i < (size_t)pass->pictures; i++, targets += classes) {
        float *logit = logits + i * SCARLET__LANES;
#define AT(c) logit[(size_t)(c) / SCARLET__LANES * plane + (size_t)(c) % SCARLET__LANES]
        double most = (double)AT(0), sum = 0, weight = 0;
        for (int c = 1; c < classes; c++)
            most = (double)AT(c) > most ? (double)AT(c) : most;
        for (int c = 0; c < classes; c++) {
            sum += scarlet__real_exp((double)AT(c) - most);
            weight += (double)targets[c];
        }
        const double whole = most + scarlet__real_log(sum);
        for (int c = 0; c < classes; c++) {
            const double from = (double)AT(c) - whole, target = (double)targets[c];
            loss -= target * from;
            AT(c) = factor * (float)(weight * scarlet__real_exp(from) - target);
        }
        /* The last plane's padding stays 0. */
        for (int c = classes; c % SCARLET__LANES != 0; c++)
            AT(c) = 0;
#undef AT
    }
    return loss;
}
