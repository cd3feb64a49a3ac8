/* YCbCr to RGB. */
#ifndef SCARLET_IMAGE_YUV_H
#define SCARLET_IMAGE_YUV_H

#include <stddef.h>
#include <stdint.h>

/* count pixels (even) of a row; a chroma sample, `step` bytes from the next, serves two pixels. */
void scarlet__yuv_row(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step,
                      uint32_t count, uint8_t *out);

#endif
