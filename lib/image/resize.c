#include "image/resize.h"

#include <string.h>

#include "common/cpu.h"
#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"

/* ---- coefficients ---- */

/* In double and in this order of operations: the reference's very numbers (built with
 * -ffp-contract=off). `distance` is in pixels of the source, from its centre. */
static double weight(double distance, double inverse)
{
    double u = distance * inverse;
    if (u < 0)
        u = -u;
    return u < 1 ? 1 - u : 0;
}

bool scarlet__room(void **block, size_t *room, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return false;
    if (*block && bytes <= *room)
        return true;
    scarlet__free(*block);
    *room = 0;
    *block = scarlet__alloc(bytes, 1);
    if (*block)
        *room = bytes;
    return *block;
}

static bool prepare(scarlet__axis *axis, uint32_t source, const scarlet__span *span, bool digits)
{
    if (axis->source == source && axis->span.size == span->size &&
        axis->span.first == span->first && axis->span.count == span->count)
        return true;
    axis->source = 0; /* no tables until they are whole */

    double scale = (double)source / (double)span->size;
    double support = scale < 1 ? 1 : scale, inverse = 1 / support;
    double widest = 2 * support + 2;
    size_t taps = widest < source ? (size_t)widest : source, weights;
    taps = (taps + SCARLET__TAPS - 1) / SCARLET__TAPS * SCARLET__TAPS;
    size_t size = digits ? scarlet__digits_size(taps) : 0; /* of a window's digits */
    if (__builtin_mul_overflow(taps, span->count, &weights) ||
        !scarlet__room(&axis->start, &axis->start_room, span->count, sizeof(uint32_t)) ||
        !scarlet__room(&axis->length, &axis->length_room, span->count, sizeof(uint32_t)) ||
        !scarlet__room(&axis->weights, &axis->weights_room, weights, sizeof(int32_t)) ||
        !scarlet__room(&axis->digits, &axis->digits_room, span->count, size))
        return false;
    memset(axis->digits, 0, span->count * size);

    uint32_t *start = axis->start, *length = axis->length;
    int32_t *k = axis->weights;
    for (uint32_t i = 0; i < span->count; i++, k += taps) {
        double centre = ((double)(span->first + i) + 0.5) * scale;
        double from = centre - support + 0.5, to = centre + support + 0.5;
        uint32_t low = from < 0 ? 0 : (uint32_t)from;
        uint32_t high = to > source ? source : (uint32_t)to;
        double sum = 0;
        for (uint32_t x = low; x < high; x++)
            sum += weight((double)x - centre + 0.5, inverse);
        for (uint32_t x = low; x < high; x++)
            k[x - low] = (int32_t)(0.5 + weight((double)x - centre + 0.5, inverse) / sum *
                                             (1 << SCARLET__WEIGHT_BITS));
        memset(k + (high - low), 0, (taps - (high - low)) * sizeof *k);
        start[i] = low;
        length[i] = high - low;
        while (length[i] > 1 && k[length[i] - 1] == 0) /* always so where nothing is resized */
            length[i]--;
        if (digits)
            scarlet__split_weights(k, length[i], low % 4, (int8_t *)axis->digits + i * size);
    }
    axis->source = source;
    axis->span = *span;
    axis->windows = (scarlet__windows){start, length, axis->weights, taps, axis->digits};
    return true;
}

/* ---- passes ---- */

enum { WIDE = 65536 };

static uint32_t end_of(const scarlet__axis *axis)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < axis->span.count; i++) {
        uint32_t last = axis->windows.start[i] + axis->windows.length[i];
        end = last > end ? last : end;
    }
    return end;
}

scarlet_status scarlet__resizer_start(scarlet__resizer *r, const scarlet_image *image,
                                      const scarlet__span *x, const scarlet__span *y,
                                      scarlet_error *err)
{
    /* Many rows at once take memory: not where they are wider than any photograph. */
    int isa_max = image->width > WIDE ? SCARLET_ISA_AVX2 : SCARLET_ISA_ANY;
    r->ops = scarlet__pixel_ops_for(scarlet__cpu_isa(isa_max));
    if (!prepare(&r->x, image->width, x, r->ops->digits) ||
        !prepare(&r->y, image->height, y, false))
        return scarlet__fail_memory(err);
    uint32_t end = end_of(&r->x);
    r->column = r->x.windows.start[0] & ~3u;
    r->columns = end - r->column;
    if (end < image->width)
        r->columns += r->columns % 2; /* YCbCr is converted in pairs */
    size_t lines = r->ops->lines;
    r->line_stride = (size_t)r->columns * SCARLET__PIXEL_MAX + SCARLET__ROW_PAD;
    r->ring_stride = (size_t)x->count * 3 + SCARLET__ROW_PAD;
    r->ring_rows = r->y.windows.taps + lines;
    size_t work = r->ops->digits ? scarlet__work_size(r->columns, r->x.windows.taps) : 0;
    if (!scarlet__room(&r->lines, &r->lines_room, lines, r->line_stride) ||
        !scarlet__room(&r->work, &r->work_room, work, 1) ||
        !scarlet__room(&r->ring, &r->ring_room, r->ring_rows, r->ring_stride))
        return scarlet__fail_memory(err);
    memset(r->lines, 0, lines * r->line_stride); /* after the last pixel they are read, times 0 */
    r->image = image;
    r->below = r->y.windows.start[0];
    r->end = end_of(&r->y);
    r->row = 0;
    return SCARLET_OK;
}

void scarlet__resizer_next(scarlet__resizer *r, uint8_t *out)
{
    const scarlet__windows *y = &r->y.windows;
    uint32_t i = r->row++, start = y->start[i], end = start + y->length[i];
    uint8_t *ring = r->ring;
    if (r->below < start)
        r->below = start;
    while (r->below < end) {
        scarlet__lines lines = {
            .row = r->lines,
            .stride = r->line_stride,
            .column = r->column,
            .columns = r->columns,
        };
        uint8_t *out_of[SCARLET__LINES];
        for (; lines.count < r->ops->lines && r->below < r->end; lines.count++) {
            lines.format = scarlet__image_row(r->image, r->ops, r->below, r->column, r->columns,
                                              (uint8_t *)r->lines + lines.count * r->line_stride);
            out_of[lines.count] = ring + r->below++ % r->ring_rows * r->ring_stride;
        }
        r->ops->across(&r->x.windows, r->x.span.count, &lines, r->work, out_of);
    }
    r->ops->down(ring, r->ring_stride, r->ring_rows, start % r->ring_rows, y->weights + i * y->taps,
                 y->length[i], (size_t)r->x.span.count * 3, out);
}

static size_t axis_bytes(const scarlet__axis *axis)
{
    return axis->start_room + axis->length_room + axis->weights_room + axis->digits_room;
}

size_t scarlet__resizer_bytes(const scarlet__resizer *r)
{
    return axis_bytes(&r->x) + axis_bytes(&r->y) + r->lines_room + r->work_room + r->ring_room;
}

void scarlet__resizer_clear(scarlet__resizer *r)
{
    void *tables[] = {r->x.start,   r->x.length, r->x.weights, r->x.digits, r->y.start, r->y.length,
                      r->y.weights, r->y.digits, r->lines,     r->work,     r->ring};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        scarlet__free(tables[i]);
    *r = (scarlet__resizer){0};
}

/* ---- a whole picture ---- */

scarlet_status scarlet_image_resize(const scarlet_image *image, uint32_t width, uint32_t height,
                                    scarlet_filter filter, scarlet_image **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!image)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "image is NULL");
    if (filter != SCARLET_FILTER_BILINEAR)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown filter %d", (int)filter);
    if (width < 1 || height < 1)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "a picture of %lu x %lu: width and height are at least 1",
                             (unsigned long)width, (unsigned long)height);
    if ((uint64_t)width * height > SCARLET__PIXELS_MAX)
        return scarlet__fail(err, SCARLET_ERROR_LIMIT,
                             "a picture of %lu x %lu: at most %d pixels in all are made",
                             (unsigned long)width, (unsigned long)height, SCARLET__PIXELS_MAX);
    scarlet__resizer r = {0};
    scarlet__span x = {.size = width, .count = width}, y = {.size = height, .count = height};
    scarlet_image *made = NULL;
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = scarlet__image_new(width, height, &made, err);
    if (status == SCARLET_OK)
        status = scarlet__resizer_start(&r, image, &x, &y, err);
    if (status == SCARLET_OK) {
        for (uint32_t i = 0; i < height; i++)
            scarlet__resizer_next(&r, made->owned + i * made->stride[0]);
        *out = made;
    } else {
        scarlet_image_free(made);
    }
    scarlet__resizer_clear(&r);
    scarlet__host_leave(&host);
    return status;
}
