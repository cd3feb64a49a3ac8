#include "image/resample.h"

#include <string.h>

#include "common/cpu.h"

enum { BITS = SCARLET__WEIGHT_BITS, HALF = 1 << (BITS - 1), BLOCK = SCARLET__ROW_PAD };

typedef int32_t v4 __attribute__((vector_size(16)));
typedef uint8_t b4 __attribute__((vector_size(4)));

#define INLINE static inline __attribute__((always_inline))

INLINE uint8_t byte(int32_t sum)
{
    int32_t v = sum >> BITS; /* long windows of rounded weights may exceed 1 by a trifle */
    return (uint8_t)(v > 255 ? 255 : v);
}

/* R, G, B and the byte behind them, which is ignored. */
INLINE v4 pixel(const uint8_t *p)
{
    b4 b;
    memcpy(&b, p, sizeof b);
    return __builtin_convertvector(b, v4);
}

INLINE void across(const scarlet__windows *w, uint32_t count, uint32_t column, const uint8_t *line,
                   uint8_t *out)
{
    for (uint32_t i = 0; i < count; i++, out += 3) {
        const uint8_t *p = line + (size_t)(w->start[i] - column) * 3;
        const int32_t *k = w->weights + i * w->taps;
        v4 sum = {HALF, HALF, HALF, 0};
        for (size_t t = 0; t < w->length[i]; t++, p += 3)
            sum += pixel(p) * k[t];
        for (int c = 0; c < 3; c++)
            out[c] = byte(sum[c]);
    }
}

INLINE void down(const uint8_t *ring, size_t stride, size_t rows, size_t first,
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
            int32_t k = weights[t];
            for (int j = 0; j < BLOCK; j++)
                sum[j] += p[j] * k;
            row = row + 1 < rows ? row + 1 : 0;
        }
        for (int j = 0; j < BLOCK; j++)
            done[j] = byte(sum[j]);
        memcpy(out + at, done, bytes - at < BLOCK ? bytes - at : BLOCK);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void across_avx2(const scarlet__windows *w, uint32_t count,
                                                        uint32_t column, const uint8_t *line,
                                                        uint8_t *out)
{
    across(w, count, column, line, out);
}

__attribute__((target("avx2"))) static void down_avx2(const uint8_t *ring, size_t stride,
                                                      size_t rows, size_t first,
                                                      const int32_t *weights, size_t length,
                                                      size_t bytes, uint8_t *out)
{
    down(ring, stride, rows, first, weights, length, bytes, out);
}
#endif

void scarlet__resample_across(const scarlet__windows *w, uint32_t count, uint32_t column,
                              const uint8_t *line, uint8_t *out)
{
#if defined(__x86_64__)
    if (scarlet__cpu_isa(SCARLET_ISA_ANY) >= SCARLET_ISA_AVX2) {
        across_avx2(w, count, column, line, out);
        return;
    }
#endif
    across(w, count, column, line, out);
}

void scarlet__resample_down(const uint8_t *ring, size_t stride, size_t rows, size_t first,
                            const int32_t *weights, size_t length, size_t bytes, uint8_t *out)
{
#if defined(__x86_64__)
    if (scarlet__cpu_isa(SCARLET_ISA_ANY) >= SCARLET_ISA_AVX2) {
        down_avx2(ring, stride, rows, first, weights, length, bytes, out);
        return;
    }
#endif
    down(ring, stride, rows, first, weights, length, bytes, out);
}
