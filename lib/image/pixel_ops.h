/* The inner loops on rows of pixels, in integers: every variant gives the same bits. */
#ifndef SCARLET_IMAGE_PIXEL_OPS_H
#define SCARLET_IMAGE_PIXEL_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCARLET__WEIGHT_BITS = 22, /* weights are in units of 2^-22 and never negative */
    SCARLET__TAPS = 4,         /* weights of a pixel are padded with zeros to a multiple of this */
    SCARLET__LINES = 8,        /* rows resized across at once, at most */
    SCARLET__ROW_PAD = 64      /* bytes after a row that may be read, in a ring also written */
};

/* How a row's pixels are stored. */
typedef enum scarlet__row_format {
    SCARLET__ROW_RGB,
    SCARLET__ROW_BGR,
    SCARLET__ROW_RGBX,
    SCARLET__ROW_BGRX,
    SCARLET__ROW_GRAY
} scarlet__row_format;

/* Bytes of a pixel, and where in them its colours are. */
typedef struct scarlet__row_layout {
    uint8_t size, red, green, blue;
} scarlet__row_layout;
extern const scarlet__row_layout scarlet__row_layouts[]; /* of each format */

/* A pixel is the sum of `length` pixels from `start` on, each times its weight. The weights of the
 * next pixel begin `taps` places later. */
typedef struct scarlet__windows {
    const uint32_t *start, *length;
    const int32_t *weights;
    size_t taps;
    /* The same weights for products of bytes, where `across` wants them. A window's table begins at
     * its pixel or up to three before, at a multiple of 4, and has scarlet__digits_size bytes. Each
     * four pixels have 12: their weights' digits to base 256, the lowest of all four first. Digits
     * are -128 .. 127. */
    const int8_t *digits;
} scarlet__windows;
enum { SCARLET__DIGITS = 3 };

static inline size_t scarlet__digits_size(size_t taps)
{
    return (taps + 4) * SCARLET__DIGITS;
}
/* Puts the digits of a window into zeroed memory; its first pixel is number `shift` of four. */
void scarlet__split_weights(const int32_t *weights, uint32_t length, uint32_t shift,
                            int8_t *digits);

/* Rows of one format, the first pixel of each is number `column` (a multiple of 4). */
typedef struct scarlet__lines {
    const uint8_t *row;
    size_t stride, count; /* at least 1, at most as many as `across` takes */
    uint32_t column, columns;
    scarlet__row_format format;
} scarlet__lines;

typedef struct scarlet__pixel_ops {
    /* Rows that `across` takes at once, and whether it wants digits and `work`. */
    size_t lines;
    bool digits;
    /* Across: `count` RGB pixels of each line, to out[line]. `work` has scarlet__work_size bytes,
     * of any alignment; what is in it does not matter. */
    void (*across)(const scarlet__windows *w, uint32_t count, const scarlet__lines *lines,
                   void *work, uint8_t *const *out);
    /* Down: bytes of `length` rows, each times a weight. The rows are in a ring of `rows` rows,
     * `stride` bytes apart, beginning with row `first`. */
    void (*down)(const uint8_t *ring, size_t stride, size_t rows, size_t first,
                 const int32_t *weights, size_t length, size_t bytes, uint8_t *out);
    /* YCbCr to RGBX, see yuv.c: count pixels (even); a chroma sample, `step` bytes from the next
     * (1, or 2 where Cb and Cr alternate), serves two pixels. */
    void (*yuv)(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step, uint32_t count,
                uint8_t *out);
} scarlet__pixel_ops;

/* Four bytes of each line for each column up to a multiple of 16, for what the longer of two
 * windows has more than the shorter, and to align them. */
static inline size_t scarlet__work_size(uint32_t columns, size_t taps)
{
    return (columns + (size_t)15 + taps + 3 + 2) * (4 * SCARLET__LINES);
}

/* The fastest that an instruction set (SCARLET_ISA_*) allows. */
const scarlet__pixel_ops *scarlet__pixel_ops_for(int isa);

/* The variants; all but the first on x86-64 only. */
extern const scarlet__pixel_ops scarlet__pixel_ops_portable, scarlet__pixel_ops_avx2,
    scarlet__pixel_ops_avx512vnni;

/* `yuv`, portable and for AVX2. */
void scarlet__yuv_row(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step,
                      uint32_t count, uint8_t *out);
void scarlet__yuv_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step,
                       uint32_t count, uint8_t *out);
/* Its factors, in units of 2^-13. */
enum {
    SCARLET__YUV_BITS = 13,
    SCARLET__Y = 9539,
    SCARLET__CR_RED = 13075,
    SCARLET__CB_GREEN = -3209,
    SCARLET__CR_GREEN = -6660,
    SCARLET__CB_BLUE = 16525
};

#endif
