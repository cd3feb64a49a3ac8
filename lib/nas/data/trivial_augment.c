/* TrivialAugment (arXiv 2103.10158), in torchvision's wide space. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "nas/data/colour.h"
#include "nas/real.h"

enum { STRENGTHS = 31 };

/* ---- tables: each value of a channel becomes another ---- */

static void look_up(uint8_t *pixels, size_t count, int channel, const uint8_t table[256])
{
    for (size_t i = 0; i < count; i++)
        pixels[3 * i + (size_t)channel] = table[pixels[3 * i + (size_t)channel]];
}

static void posterize(uint8_t *pixels, size_t count, uint32_t bits)
{
    for (size_t i = 0; i < 3 * count; i++)
        pixels[i] &= (uint8_t)(0xff00u >> bits);
}

static void solarize(uint8_t *pixels, size_t count, double threshold)
{
    for (size_t i = 0; i < 3 * count; i++)
        pixels[i] = pixels[i] < threshold ? pixels[i] : (uint8_t)(255 - pixels[i]);
}

/* How often each value occurs, and the lowest and highest that do. */
typedef struct {
    uint32_t count[256];
    int low, high;
} histogram;

static histogram count_values(const uint8_t *pixels, size_t count, int channel)
{
    histogram h = {.high = 255};
    for (size_t i = 0; i < count; i++)
        h.count[pixels[3 * i + (size_t)channel]]++;
    while (h.low < 255 && !h.count[h.low])
        h.low++;
    while (h.high > 0 && !h.count[h.high])
        h.high--;
    return h;
}

static void auto_contrast(uint8_t *pixels, size_t count)
{
    for (int c = 0; c < 3; c++) {
        histogram h = count_values(pixels, count, c);
        uint8_t table[256];
        if (h.high <= h.low)
            continue;
        double scale = 255.0 / (h.high - h.low), offset = -h.low * scale;
        for (int i = 0; i < 256; i++) {
            double x = i * scale + offset;
            table[i] = x <= 0 ? 0 : x >= 255 ? 255 : (uint8_t)x;
        }
        look_up(pixels, count, c, table);
    }
}

static void equalize(uint8_t *pixels, size_t count)
{
    for (int c = 0; c < 3; c++) {
        histogram h = count_values(pixels, count, c);
        uint8_t table[256];
        uint64_t step = (count - h.count[h.high]) / 255, n = step / 2;
        if (!step) /* also for one value only */
            continue;
        for (int i = 0; i < 256; i++) {
            table[i] = (uint8_t)(n / step < 255 ? n / step : 255);
            n += h.count[i];
        }
        look_up(pixels, count, c, table);
    }
}

/* ---- neighbours: `from` is a copy of the pixels ---- */

/* Pillow's Image.blend with its filter SMOOTH, which leaves the border alone. */
static void sharpen(uint8_t *pixels, const uint8_t *from, uint32_t side, float factor)
{
    size_t row = (size_t)side * 3;
    for (uint32_t y = 1; y + 1 < side; y++)
        for (size_t i = y * row + 3; i < y * row + row - 3; i++) {
            unsigned sum = 4u * from[i];
            for (size_t at = i - row; at <= i + row; at += row)
                sum += from[at - 3] + (unsigned)from[at] + from[at + 3];
            const unsigned mean = (2 * sum + 13) / 26; /* rounded, as Pillow does */
            float smooth = (float)mean;
            float mixed = smooth + factor * ((float)from[i] - smooth);
            pixels[i] = mixed <= 0 ? 0 : mixed >= 255 ? 255 : (uint8_t)mixed;
        }
}

/* ---- affine: where each pixel comes from ---- */

static int64_t fixed(double x)
{
    return (int64_t)floor(x * 65536 + 0.5);
}

/* x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]; the nearest pixel, black outside, in
 * Pillow's 16.16 fixed point. */
static void transform(uint8_t *pixels, const uint8_t *from, uint32_t side, const double m[6])
{
    const int64_t step_x[2] = {fixed(m[0]), fixed(m[3])}, step_y[2] = {fixed(m[1]), fixed(m[4])};
    int64_t row[2] = {fixed(m[2] + m[0] * 0.5 + m[1] * 0.5), fixed(m[5] + m[3] * 0.5 + m[4] * 0.5)};
    for (uint32_t y = 0; y < side; y++) {
        int64_t at[2] = {row[0], row[1]};
        for (uint32_t x = 0; x < side; x++, pixels += 3) {
            bool inside = at[0] >= 0 && at[0] >> 16 < side && at[1] >= 0 && at[1] >> 16 < side;
            size_t index = inside ? (size_t)(at[1] >> 16) * side + (size_t)(at[0] >> 16) : 0;
            for (int c = 0; c < 3; c++)
                pixels[c] = inside ? from[3 * index + (size_t)c] : 0;
            at[0] += step_x[0];
            at[1] += step_x[1];
        }
        row[0] += step_y[0];
        row[1] += step_y[1];
    }
}

/* Degrees, at most 135 either way, against the clock, around the centre. */
static void rotate(uint8_t *pixels, const uint8_t *from, uint32_t side, double degrees)
{
    double size = fabs(degrees), centre = side / 2.0;
    double cosine = scarlet__real_cos_pi(size / 180);
    double sine = scarlet__real_cos_pi(fabs(90 - size) / 180) * (degrees < 0 ? 1 : -1);
    const double m[6] = {
        cosine, sine,   centre - centre * cosine - centre * sine,
        -sine,  cosine, centre + centre * sine - centre * cosine,
    };
    transform(pixels, from, side, m);
}

/* ---- the choice ---- */

enum {
    IDENTITY,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
    ROTATE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTO_CONTRAST,
    EQUALIZE,
    CHANGES
};

static void change(uint8_t *pixels, const uint8_t *copy, uint32_t side, uint32_t what,
                   uint32_t strength, double sign)
{
    size_t count = (size_t)side * side;
    double share = sign * strength / (STRENGTHS - 1), amount = 0.99 * share;
    double shift = trunc(32 * share);
    switch (what) {
    case SHEAR_X:
        transform(pixels, copy, side, (const double[]){1, amount, 0, 0, 1, 0});
        break;
    case SHEAR_Y:
        transform(pixels, copy, side, (const double[]){1, 0, 0, amount, 1, 0});
        break;
    case TRANSLATE_X:
        transform(pixels, copy, side, (const double[]){1, 0, -shift, 0, 1, 0});
        break;
    case TRANSLATE_Y:
        transform(pixels, copy, side, (const double[]){1, 0, 0, 0, 1, -shift});
        break;
    case ROTATE:
        rotate(pixels, copy, side, 135 * share);
        break;
    case BRIGHTNESS:
        scarlet__brightness(pixels, count, (float)(1 + amount));
        break;
    case COLOR:
        scarlet__saturation(pixels, count, (float)(1 + amount));
        break;
    case CONTRAST:
        scarlet__contrast(pixels, count, (float)(1 + amount));
        break;
    case SHARPNESS:
        sharpen(pixels, copy, side, (float)(1 + amount));
        break;
    case POSTERIZE:
        posterize(pixels, count, 8 - (strength + 2) / 5);
        break;
    case SOLARIZE:
        solarize(pixels, count, 255 - 255 * fabs(share));
        break;
    case AUTO_CONTRAST:
        auto_contrast(pixels, count);
        break;
    case EQUALIZE:
        equalize(pixels, count);
        break;
    default:
        break;
    }
}

scarlet_status scarlet__trivial_augment(uint8_t *pixels, uint32_t side, scarlet__random *r,
                                        scarlet_error *err)
{
    size_t size = (size_t)side * side * 3;
    uint32_t what = scarlet__random_below(r, CHANGES);
    uint32_t strength = scarlet__random_below(r, STRENGTHS);
    double sign = scarlet__random_below(r, 2) ? -1 : 1;
    uint8_t *copy = scarlet__alloc(size, 1);
    if (!copy)
        return scarlet__fail_memory(err);
    memcpy(copy, pixels, size);
    change(pixels, copy, side, what, strength, sign);
    scarlet__free(copy);
    return SCARLET_OK;
}
