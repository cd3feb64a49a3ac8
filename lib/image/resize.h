/*
 * Pillow's antialiased bilinear resampling, of as much of the result as is wanted: rows and columns
 * of the picture that only the rest needs are not touched.
 */
#ifndef SCARLET_IMAGE_RESIZE_H
#define SCARLET_IMAGE_RESIZE_H

#include "image/image.h"
#include "image/pixel_ops.h"

/* An axis resized to `size` pixels, of which first .. first+count-1 are wanted; count >= 1. */
typedef struct scarlet__span {
    uint64_t size, first;
    uint32_t count;
} scarlet__span;

/* How each wanted pixel of an axis is made. */
typedef struct scarlet__axis {
    uint32_t source; /* pixels of the picture; with `span`, what the windows are for */
    scarlet__span span;
    scarlet__windows windows; /* into these tables: */
    void *start, *length, *weights, *digits;
    size_t start_room, length_room, weights_room, digits_room;
} scarlet__axis;

/* Zeroed to begin with. Its memory is kept from picture to picture and only ever grows. */
typedef struct scarlet__resizer {
    scarlet__axis x, y;
    void *lines, *work; /* source rows, and what `across` works with */
    void *ring; /* the last rows resized across: those of a window, and those made at once */
    size_t lines_room, work_room, ring_room;
    size_t line_stride, ring_rows, ring_stride;
    const scarlet__pixel_ops *ops;
    const scarlet_image *image;
    uint32_t column, columns; /* of the source, that `lines` hold */
    uint32_t below, end;      /* next source row to be resized across; one past the last */
    uint32_t row;             /* next row of the result, from 0 */
} scarlet__resizer;

/* Begins a picture; MEMORY leaves a resizer that can be used again. */
scarlet_status scarlet__resizer_start(scarlet__resizer *r, const scarlet_image *image,
                                      const scarlet__span *x, const scarlet__span *y,
                                      scarlet_error *err);
/* The next of the y->count rows: x->count RGB pixels. */
void scarlet__resizer_next(scarlet__resizer *r, uint8_t *out);
/* Memory held by now, without *r itself. */
size_t scarlet__resizer_bytes(const scarlet__resizer *r);
/* Releases the memory, not *r itself. */
void scarlet__resizer_clear(scarlet__resizer *r);

/* Makes room for count * size bytes in *block, without keeping what it holds. */
bool scarlet__room(void **block, size_t *room, size_t count, size_t size);

#endif
