/* The inner loops on rows of pixels, in integers: every variant gives the same bits. */
#ifndef SCARLET_IMAGE_PIXEL_OPS_H
#define SCARLET_IMAGE_PIXEL_OPS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SCARLET__WEIGHT_BITS = 22, /* weights are in units of 2^-22 and never negative */
    SCARLET__TAPS = 4,         /* weights of a pixel are padded with zeros to a multiple of this */
    SCARLET__LINES = 8,        /* rows that are resized across at once */
    SCARLET__ROOM_MORE = 20,   /* columns that `across` wants room for besides, see there */
    SCARLET__ROW_PAD = 64      /* bytes behind a row that may be read, and written in a ring */
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
    /* The weights once more, for products of bytes, of as many pixels as taps and four more from
     * the last multiple of 4 before the window on: of every four, the four bytes of their lowest
     * digits to base 256, then of the next ones, then of the highest. Digits are -128 .. 127. */
    const int8_t *digits;
} scarlet__windows;
enum { SCARLET__DIGITS = 3 };

/* Puts the digits of a window into zeroed memory; its first pixel is number `shift` of four. */
void scarlet__split_weights(const int32_t *weights, uint32_t length, uint32_t shift,
                            int8_t *digits);

/* Rows of one format, the first pixel of each is number `column` (a multiple of 4). */
typedef struct scarlet__lines {
    const uint8_t *row;
    size_t stride, count; /* 1 .. SCARLET__LINES */
    uint32_t column, columns;
    scarlet__row_format format;
} scarlet__lines;

typedef struct scarlet__pixel_ops {
    /* Across: `count` RGB pixels of each line, to out[line]. `room` holds SCARLET__LINES * 4 bytes
     * for each column and for SCARLET__ROOM_MORE + taps more. */
    void (*across)(const scarlet__windows *w, uint32_t count, const scarlet__lines *lines,
                   void *room, uint8_t *const *out);
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
