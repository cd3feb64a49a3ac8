#include "nas/data/colour.h"

/* Pillow's Image.blend of a pixel's value with what the enhancement would make of it at 0. */
static uint8_t blend(uint8_t zero, uint8_t value, float factor)
{
    float mixed = (float)zero + factor * (float)(value - zero);
    return mixed <= 0 ? 0 : mixed >= 255 ? 255 : (uint8_t)mixed;
}

/* Pillow's convert("L"). */
static uint8_t grey(const uint8_t *p)
{
    return (uint8_t)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
}

void scarlet__brightness(uint8_t *pixels, size_t count, float factor)
{
    for (size_t i = 0; i < 3 * count; i++)
        pixels[i] = blend(0, pixels[i], factor);
}

void scarlet__contrast(uint8_t *pixels, size_t count, float factor)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += grey(pixels + 3 * i);
    uint8_t mean = (uint8_t)((double)sum / (double)count + 0.5);
    for (size_t i = 0; i < 3 * count; i++)
        pixels[i] = blend(mean, pixels[i], factor);
}

void scarlet__saturation(uint8_t *pixels, size_t count, float factor)
{
    for (size_t i = 0; i < count; i++, pixels += 3) {
        uint8_t zero = grey(pixels);
        for (int c = 0; c < 3; c++)
            pixels[c] = blend(zero, pixels[c], factor);
    }
}

void scarlet__color_jitter(uint8_t *pixels, size_t count, double strength, scarlet__random *r)
{
    void (*change[])(uint8_t *, size_t, float) = {scarlet__brightness, scarlet__contrast,
                                                  scarlet__saturation};
    for (uint32_t left = 3; left > 0; left--) {
        uint32_t i = scarlet__random_below(r, left);
        double factor = scarlet__random_between(r, 1 - strength, 1 + strength);
        change[i](pixels, count, (float)factor);
        change[i] = change[left - 1];
    }
}
