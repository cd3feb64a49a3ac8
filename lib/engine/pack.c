#include "engine/pack.h"

#include <string.h>

void scarlet__pack_depthwise(const float *weight, size_t channels, size_t taps, size_t vector,
                             float *out)
{
    size_t padded = scarlet__round_up(channels, vector);
    for (size_t c = 0; c < padded; c++)
        for (size_t t = 0; t < taps; t++)
            out[(c / vector * taps + t) * vector + c % vector] =
                c < channels ? weight[c * taps + t] : 0;
}

uint16_t scarlet__to_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void scarlet__pack_bf16_depthwise(const float *weight, size_t channels, size_t k, size_t vector,
                                  uint32_t *out)
{
    const size_t pairs = (k + 1) / 2, padded = scarlet__round_up(channels, vector);
    memset(out, 0, padded * k * 2 * pairs * sizeof *out);
    for (size_t c = 0; c < channels; c++)
        for (size_t y = 0; y < k; y++)
            for (size_t odd = 0; odd < 2; odd++)
                for (size_t x = 0; x < k; x++) {
                    size_t place = x + odd;
                    size_t row = ((c / vector * k + y) * 2 + odd) * pairs + place / 2;
                    out[row * vector + c % vector] |=
                        (uint32_t)scarlet__to_bf16(weight[(c * k + y) * k + x]) << place % 2 * 16;
                }
}

void scarlet__pack_bias(const float *bias, size_t n, size_t vector, float *out)
{
    size_t padded = scarlet__round_up(n, vector);
    for (size_t i = 0; i < padded; i++)
        out[i] = i < n ? bias[i] : 0;
}
