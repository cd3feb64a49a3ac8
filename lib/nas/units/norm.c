#include "nas/units/norm.h"

#include <math.h>

scarlet__normed scarlet__normed_carve(scarlet__carver *arena, int channels)
{
    const size_t n = (size_t)scarlet__planes(channels) * SCARLET__LANES;
    scarlet__normed kept;
    kept.scale = scarlet__carve(arena, n);
    kept.shift = scarlet__carve(arena, n);
    kept.mean = scarlet__carve(arena, n);
    kept.inverse = scarlet__carve(arena, n);
    return kept;
}

void scarlet__norm_forward(const scarlet__pass *pass, const scarlet__norm *norm,
                           const scarlet__normed *kept, int first, int planes, size_t count,
                           const double *sums)
{
    const double n = (double)count;
    const bool running = pass->running_only || norm->running;
    for (int i = 0; i < planes * SCARLET__LANES; i++) {
        const size_t c = (size_t)first * SCARLET__LANES + (size_t)i;
        const double *sum = sums + i / SCARLET__LANES * 2 * SCARLET__LANES + i % SCARLET__LANES;
        double mean = (double)pass->running[norm->mean + c];
        double variance = (double)pass->running[norm->variance + c];
        double unbiased = variance;
        if (!running) {
            mean = sum[0] / n;
            variance = sum[SCARLET__LANES] / n - mean * mean;
            variance = variance < 0 ? 0 : variance; /* a NaN stays one */
            unbiased = variance * n / (n - 1);
        }
        pass->statistics[norm->mean + c] = (float)mean;
        pass->statistics[norm->variance + c] = (float)unbiased;
        const double inverse = 1 / sqrt(variance + norm->epsilon);
        const double scale = (double)pass->parameters[norm->gamma + c] * inverse;
        kept->mean[c] = (float)mean;
        kept->inverse[c] = (float)inverse;
        kept->scale[c] = (float)scale;
        kept->shift[c] = (float)((double)pass->parameters[norm->beta + c] - mean * scale);
    }
}

void scarlet__norm_backward(const scarlet__pass *pass, const scarlet__norm *norm,
                            const scarlet__normed *kept, int first, int planes, size_t count,
                            const double *sums, const scarlet__norm_factors *factors)
{
    const double n = (double)count;
    const bool running = pass->running_only || norm->running;
    for (int i = 0; i < planes * SCARLET__LANES; i++) {
        const size_t c = (size_t)first * SCARLET__LANES + (size_t)i;
        const double *sum = sums + i / SCARLET__LANES * 2 * SCARLET__LANES + i % SCARLET__LANES;
        const double mean = (double)kept->mean[c], inverse = (double)kept->inverse[c];
        const double scale = (double)pass->parameters[norm->gamma + c] * inverse;
        /* The sum of g times the normalised x. */
        const double product = (sum[SCARLET__LANES] - mean * sum[0]) * inverse;
        pass->gradients[norm->gamma + c] += (float)product;
        pass->gradients[norm->beta + c] += (float)sum[0];
        const double slope = running ? 0 : -scale * inverse * product / n;
        factors->a[i] = (float)scale;
        factors->b[i] = (float)slope;
        factors->c[i] = running ? 0 : (float)(-scale * sum[0] / n - slope * mean);
    }
}
