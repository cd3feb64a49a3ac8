/* The two passes of resampling a row, in integers: every variant gives the same bits. */
#ifndef SCARLET_IMAGE_RESAMPLE_H
#define SCARLET_IMAGE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>

enum {
    SCARLET__WEIGHT_BITS = 22, /* weights are in units of 2^-22 and never negative */
    SCARLET__ROW_PAD = 32      /* bytes behind a row that the passes may read and write */
};

/* A pixel is the sum of length pixels from `start` on times its weights, `taps` places after those
 * of the pixel before. */
typedef struct scarlet__windows {
    const uint32_t *start, *length;
    const int32_t *weights;
    size_t taps;
} scarlet__windows;

/* Across: count RGB pixels from a row whose first pixel is number `column`. */
void scarlet__resample_across(const scarlet__windows *w, uint32_t count, uint32_t column,
                              const uint8_t *line, uint8_t *out);

/* Down: bytes of `length` rows, each times a weight. The rows lie in a ring of `rows` rows,
 * `stride` bytes apart, beginning with row `first`. */
void scarlet__resample_down(const uint8_t *ring, size_t stride, size_t rows, size_t first,
                            const int32_t *weights, size_t length, size_t bytes, uint8_t *out);

#endif
