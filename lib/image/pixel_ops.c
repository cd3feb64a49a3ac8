#include "image/pixel_ops.h"

#include <string.h>

#include "scarlet/scarlet.h"

enum { BITS = SCARLET__WEIGHT_BITS, HALF = 1 << (BITS - 1), BLOCK = 32 };

const scarlet__row_layout scarlet__row_layouts[] = {
    [SCARLET__ROW_RGB] = {3, 0, 1, 2},  [SCARLET__ROW_BGR] = {3, 2, 1, 0},
    [SCARLET__ROW_RGBX] = {4, 0, 1, 2}, [SCARLET__ROW_BGRX] = {4, 2, 1, 0},
    [SCARLET__ROW_GRAY] = {1, 0, 0, 0},
};

void scarlet__split_weights(const int32_t *weights, uint32_t length, uint32_t shift, int8_t *digits)
{
    for (uint32_t t = 0; t < length; t++) {
        const int32_t half = 0x808080; /* a digit above 127 borrows from the next */
        int32_t bytes = (weights[t] + half) ^ half;
        int8_t *four = digits + (shift + t) / 4 * SCARLET__DIGITS * 4;
        for (uint32_t d = 0; d < SCARLET__DIGITS; d++)
            four[4 * d + (shift + t) % 4] = (int8_t)(uint8_t)(bytes >> 8 * d);
    }
}

static uint8_t byte(int32_t sum)
{
    int32_t v = sum >> BITS; /* rounded weights of a long window may sum to a trifle more than 1 */
    return (uint8_t)(v > 255 ? 255 : v);
}

static void across(const scarlet__windows *w, uint32_t count, const scarlet__lines *lines,
                   void *work, uint8_t *const *out)
{
    const scarlet__row_layout l = scarlet__row_layouts[lines->format];
    uint8_t *to = out[0];
    (void)work;
    for (uint32_t i = 0; i < count; i++, to += 3) {
        const uint8_t *p = lines->row + (size_t)(w->start[i] - lines->column) * l.size;
        const int32_t *k = w->weights + i * w->taps;
        int32_t r = HALF, g = HALF, b = HALF;
        for (uint32_t t = 0; t < w->length[i]; t++, p += l.size) {
            r += p[l.red] * k[t];
            g += p[l.green] * k[t];
            b += p[l.blue] * k[t];
        }
        to[0] = byte(r);
        to[1] = byte(g);
        to[2] = byte(b);
    }
}

static void down(const uint8_t *ring, size_t stride, size_t rows, size_t first,
                 const int32_t *weights, size_t length, size_t bytes, uint8_t *out)
{
    for (size_t at = 0; at < bytes; at += BLOCK) {
        int32_t sum[BLOCK];
        uint8_t done[BLOCK];
        for (int j = 0; j < BLOCK; j++)
            sum[j] = HALF;
        size_t row = first;
        for (size_t t = 0; t < length; t++) {
            const uint8_t *p = ring + row * stride + at;
            for (int j = 0; j < BLOCK; j++)
                sum[j] += p[j] * weights[t];
            row = row + 1 < rows ? row + 1 : 0;
        }
        for (int j = 0; j < BLOCK; j++)
            done[j] = byte(sum[j]);
        memcpy(out + at, done, bytes - at < BLOCK ? bytes - at : BLOCK);
    }
}

const scarlet__pixel_ops scarlet__pixel_ops_portable = {1, false, across, down, scarlet__yuv_row};

const scarlet__pixel_ops *scarlet__pixel_ops_for(int isa)
{
#if defined(__x86_64__)
    if (isa >= SCARLET_ISA_AVX512VNNI)
        return &scarlet__pixel_ops_avx512vnni;
    if (isa >= SCARLET_ISA_AVX2)
        return &scarlet__pixel_ops_avx2;
#endif
    (void)isa;
    return &scarlet__pixel_ops_portable;
}
