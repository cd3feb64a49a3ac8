#include "nas/units/loss.h"

#include "nas/real.h"

double scarlet__loss(const scarlet__pass *pass, int classes, const float *targets, float factor,
                     float *logits)
{
    const size_t plane = scarlet__plane((size_t)pass->pictures);
    const size_t planes = (size_t)scarlet__planes(classes);
    double loss = 0;
    for (size_t i = 0; i < (size_t)pass->pictures; i++, targets += classes) {
        float *logit = logits + i * SCARLET__LANES;
#define AT(c) logit[(size_t)(c) / SCARLET__LANES * plane + (size_t)(c) % SCARLET__LANES]
        float most = AT(0);
        double sum = 0, weight = 0, hit = 0;
        for (int c = 0; c < classes; c++) {
            most = AT(c) > most ? AT(c) : most;
            weight += (double)targets[c];
            hit += (double)targets[c] * (double)AT(c);
        }
        pass->kernels->exponential(logit, plane, planes, most);
        for (int c = 0; c < classes; c++)
            sum += (double)AT(c);
        loss += weight * ((double)most + scarlet__real_log(sum)) - hit;
        const float part = (float)(weight / sum);
        for (int c = 0; c < classes; c++)
            AT(c) = factor * (part * AT(c) - targets[c]);
        /* The last plane's padding stays 0. */
        for (int c = classes; c % SCARLET__LANES != 0; c++)
            AT(c) = 0;
#undef AT
    }
    return loss;
}
