#include "image/pixel_ops.h"

#include <string.h>

#include "scarlet/scarlet.h"

enum { BITS = SCARLET__WEIGHT_BITS, HALF = 1 << (BITS - 1), BLOCK = SCARLET__ROW_PAD };

static uint8_t byte(int32_t sum)
{
    int32_t v = sum >> BITS; /* rounded weights of a long window may sum to a trifle more than 1 */
    return (uint8_t)(v > 255 ? 255 : v);
}

static void across(const scarlet__windows *w, uint32_t count, const uint8_t *row,
                   scarlet__row_format format, uint32_t column, uint8_t *out)
{
    static const struct {
        uint8_t size, red, green, blue;
    } formats[] = {[SCARLET__ROW_RGB] = {3, 0, 1, 2},
                   [SCARLET__ROW_BGR] = {3, 2, 1, 0},
                   [SCARLET__ROW_RGBX] = {4, 0, 1, 2},
                   [SCARLET__ROW_BGRX] = {4, 2, 1, 0},
                   [SCARLET__ROW_GRAY] = {1, 0, 0, 0}};
    size_t size = formats[format].size, red = formats[format].red;
    size_t green = formats[format].green, blue = formats[format].blue;
    for (uint32_t i = 0; i < count; i++, out += 3) {
        const uint8_t *p = row + (w->start[i] - column) * size;
        const int32_t *k = w->weights + i * w->taps;
        int32_t r = HALF, g = HALF, b = HALF;
        for (uint32_t t = 0; t < w->length[i]; t++, p += size) {
            r += p[red] * k[t];
            g += p[green] * k[t];
            b += p[blue] * k[t];
        }
        out[0] = byte(r);
        out[1] = byte(g);
        out[2] = byte(b);
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

const scarlet__pixel_ops scarlet__pixel_ops_portable = {across, down, scarlet__yuv_row};

const scarlet__pixel_ops *scarlet__pixel_ops_for(int isa)
{
#if defined(__x86_64__)
    if (isa >= SCARLET_ISA_AVX2)
        return &scarlet__pixel_ops_avx2;
#endif
    (void)isa;
    return &scarlet__pixel_ops_portable;
}
