#include "engine/pack.h"

#include <math.h>
#include <string.h>

enum { SIDE_MAX = 7 }; /* of a kernel */

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

static float from_bf16(uint16_t x)
{
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void scarlet__taps_to_bf16(const float *taps, float gain, size_t count, uint16_t *out)
{
    float error = 0;
    for (size_t i = 0; i < count; i++) {
        out[i] = scarlet__to_bf16(taps[i] * gain);
        error += from_bf16(out[i]) - taps[i] * gain;
    }
    for (size_t i = 0; i < count; i++) {
        float tap = taps[i] * gain, here = from_bf16(out[i]);
        if (here == tap)
            continue;
        /* The neighbour on the other side of the tap: bits rise with magnitude. */
        uint16_t other = (uint16_t)(out[i] + ((here < tap) == (tap > 0) ? 1 : -1));
        float change = from_bf16(other) - here;
        if (fabsf(error + change) < fabsf(error)) {
            out[i] = other;
            error += change;
        }
    }
}

void scarlet__pack_bf16_depthwise(const float *weight, float gain, size_t channels, size_t k,
                                  size_t vector, uint32_t *out)
{
    const size_t pairs = (k + 1) / 2, padded = scarlet__round_up(channels, vector);
    memset(out, 0, padded * k * 2 * pairs * sizeof *out);
    for (size_t c = 0; c < channels; c++) {
        uint16_t taps[SIDE_MAX * SIDE_MAX] = {0}; /* for clang-tidy; costs nothing */
        scarlet__taps_to_bf16(weight + c * k * k, gain, k * k, taps);
        for (size_t y = 0; y < k; y++)
            for (size_t odd = 0; odd < 2; odd++)
                for (size_t x = 0; x < k; x++) {
                    size_t place = x + odd;
                    size_t row = ((c / vector * k + y) * 2 + odd) * pairs + place / 2;
                    out[row * vector + c % vector] |= (uint32_t)taps[y * k + x] << place % 2 * 16;
                }
    }
}

void scarlet__pack_bias(const float *bias, size_t n, size_t vector, float *out)
{
    size_t padded = scarlet__round_up(n, vector);
    for (size_t i = 0; i < padded; i++)
        out[i] = i < n ? bias[i] : 0;
}
