/* The inner loops on rows of pixels, in integers: every variant gives the same bits. */
#ifndef SCARLET_IMAGE_PIXEL_OPS_H
#define SCARLET_IMAGE_PIXEL_OPS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SCARLET__WEIGHT_BITS = 22, /* weights are in units of 2^-22 and never negative */
    SCARLET__TAPS = 4,         /* weights of a pixel are padded with zeros to a multiple of this */
    SCARLET__ROW_PAD = 32      /* bytes behind a row that may be read, and written in a ring */
};

/* How the pixels of a row lie in memory. */
typedef enum scarlet__row_format {
    SCARLET__ROW_RGB,
    SCARLET__ROW_BGR,
    SCARLET__ROW_RGBX,
    SCARLET__ROW_BGRX,
    SCARLET__ROW_GRAY
} scarlet__row_format;

/* A pixel is the sum of length pixels from `start` on times its weights, which stand `taps` places
 * after those of the pixel before. */
typedef struct scarlet__windows {
    const uint32_t *start, *length;
    const int32_t *weights;
    size_t taps;
} scarlet__windows;

typedef struct scarlet__pixel_ops {
    /* Across: count pixels from a row whose first pixel is number `column`; RGB. */
    void (*across)(const scarlet__windows *w, uint32_t count, const uint8_t *row,
                   scarlet__row_format format, uint32_t column, uint8_t *out);
    /* Down: bytes of `length` rows, each times a weight. The rows lie in a ring of `rows` rows,
     * `stride` bytes apart, beginning with row `first`. */
    void (*down)(const uint8_t *ring, size_t stride, size_t rows, size_t first,
                 const int32_t *weights, size_t length, size_t bytes, uint8_t *out);
    /* YCbCr to RGBX, see yuv.c: count pixels (even); a chroma sample, `step` bytes from the next
     * (1, or 2 where Cb and Cr alternate), serves two pixels. */
    void (*yuv)(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step, uint32_t count,
                uint8_t *out);
} scarlet__pixel_ops;

/* The fastest that an instruction set (SCARLET_ISA_*) allows. */
const scarlet__pixel_ops *scarlet__pixel_ops_for(int isa);

/* The variants; the second on x86-64 only. */
extern const scarlet__pixel_ops scarlet__pixel_ops_portable, scarlet__pixel_ops_avx2;

/* The portable `yuv`. */
void scarlet__yuv_row(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step,
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
