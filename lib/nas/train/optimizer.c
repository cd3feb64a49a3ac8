#include "nas/train/optimizer.h"

#include <math.h>
#include <stdbool.h>

static void sgd(const scarlet__update *u, size_t count, const float *gradient, float *weight,
                float *moment)
{
    const float rate = (float)u->rate, momentum = (float)u->momentum;
    const float decay = (float)u->weight_decay, scale = (float)u->scale;
    const bool nesterov = u->optimizer == SCARLET__NESTEROV;
    const float of_gradient = nesterov ? 1 : 0, of_moment = nesterov ? momentum : 1;
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i] * scale + decay * weight[i];
        moment[i] = momentum * moment[i] + g;
        weight[i] -= rate * (of_gradient * g + of_moment * moment[i]);
    }
}

static void adamw(const scarlet__update *u, size_t count, const float *gradient, float *weight,
                  float *moment1, float *moment2)
{
    const float beta1 = (float)u->beta1, beta2 = (float)u->beta2, scale = (float)u->scale;
    const float rest1 = (float)(1 - u->beta1), rest2 = (float)(1 - u->beta2);
    const float keep = (float)(1 - u->rate * u->weight_decay);
    const float rate = (float)(u->rate / u->rest1), root = (float)(1 / sqrt(u->rest2));
    const float epsilon = (float)u->epsilon;
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i] * scale;
        moment1[i] = beta1 * moment1[i] + rest1 * g;
        moment2[i] = beta2 * moment2[i] + rest2 * g * g;
        weight[i] = weight[i] * keep - rate * moment1[i] / (sqrtf(moment2[i]) * root + epsilon);
    }
}

void scarlet__update_apply(const scarlet__update *update, size_t count, const float *gradient,
                           float *weight, float *moment1, float *moment2)
{
    if (update->optimizer == SCARLET__ADAMW)
        adamw(update, count, gradient, weight, moment1, moment2);
    else
        sgd(update, count, gradient, weight, moment1);
}

double scarlet__squares(const float *x, size_t count)
{
    double sum[8] = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (size_t j = 0; j < 8; j++)
            sum[j] += (double)x[i + j] * (double)x[i + j];
    for (; i < count; i++)
        sum[0] += (double)x[i] * (double)x[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

double scarlet__power(double base, int64_t n)
{
    double result = 1;
    for (; n > 0; n /= 2) {
        if (n % 2)
            result *= base;
        base *= base;
    }
    return result;
}
