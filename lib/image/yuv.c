/*
 * YCbCr of BT.601, limited range (Y 16 .. 235, Cb and Cr 16 .. 240), to RGB in integers:
 *
 *   R = clip((9539 (Y-16)                  + 13075 (Cr-128) + 4096) >> 13)
 *   G = clip((9539 (Y-16) -  3209 (Cb-128) -  6660 (Cr-128) + 4096) >> 13)
 *   B = clip((9539 (Y-16) + 16525 (Cb-128)                  + 4096) >> 13)
 *
 * The factors are 255/219, and 255/224 times 2(1-Kr), 2(1-Kb)Kb/Kg, 2(1-Kr)Kr/Kg and 2(1-Kb) with
 * Kr = 0.299, Kb = 0.114, in units of 1/8192. Chroma is not interpolated: a sample serves the
 * two by two pixels it was made from.
 */
#include "image/pixel_ops.h"

static uint8_t clip(int v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

void scarlet__yuv_row(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step,
                      uint32_t count, uint8_t *out)
{
    enum { BITS = SCARLET__YUV_BITS, HALF = 1 << (BITS - 1) };
    for (uint32_t i = 0; i < count / 2; i++, y += 2, cb += step, cr += step) {
        int b = *cb - 128, r = *cr - 128;
        int to_red = SCARLET__CR_RED * r + HALF;
        int to_green = SCARLET__CB_GREEN * b + SCARLET__CR_GREEN * r + HALF;
        int to_blue = SCARLET__CB_BLUE * b + HALF;
        for (int k = 0; k < 2; k++, out += 4) {
            int luma = SCARLET__Y * (y[k] - 16);
            out[0] = clip((luma + to_red) >> BITS);
            out[1] = clip((luma + to_green) >> BITS);
            out[2] = clip((luma + to_blue) >> BITS);
            out[3] = 0;
        }
    }
}
