#include "engine/pack.h"

void scarlet__pack_depthwise(const float *weight, size_t channels, size_t taps, size_t vector,
                             float *out)
{
    size_t padded = scarlet__round_up(channels, vector);
    for (size_t c = 0; c < padded; c++)
        for (size_t t = 0; t < taps; t++)
            out[(c / vector * taps + t) * vector + c % vector] =
                c < channels ? weight[c * taps + t] : 0;
}

void scarlet__pack_bias(const float *bias, size_t n, size_t vector, float *out)
{
    size_t padded = scarlet__round_up(n, vector);
    for (size_t i = 0; i < padded; i++)
        out[i] = i < n ? bias[i] : 0;
}
