#include "nas/units/operand.h"

#include <stdbool.h>
#include <string.h>

void scarlet__operand_read(const scarlet__training_kernels *kernels, const scarlet__operand *view,
                           int plane, size_t pixel, const scarlet__rectangle *rectangle, float *out)
{
    const size_t channel = (size_t)plane * SCARLET__LANES;
    const float *x = view->x + (size_t)plane * view->plane + pixel * SCARLET__LANES;
    if (view->kind == SCARLET__COMBINED) {
        const float *other = view->other + (size_t)plane * view->plane + pixel * SCARLET__LANES;
        kernels->combine(x, other, view->a + channel, view->b + channel, view->c + channel,
                         rectangle, out);
        return;
    }
    const float *gain = NULL;
    if (view->gain)
        gain =
            view->gain + (size_t)plane * view->gain_plane + pixel / view->pixels * SCARLET__LANES;
    kernels->activate[view->f](x, view->scale + channel, view->shift + channel, gain, rectangle,
                               out);
}

void scarlet__operand_derive(const scarlet__training_kernels *kernels, const scarlet__operand *view,
                             int plane, size_t pixel, size_t count, float *gradient, float *sums)
{
    const size_t channel = (size_t)plane * SCARLET__LANES;
    kernels->derive[view->f](gradient,
                             view->x + (size_t)plane * view->plane + pixel * SCARLET__LANES,
                             view->scale + channel, view->shift + channel, scarlet__ones,
                             scarlet__zeros, count, gradient, sums);
}

/* A patch is 3 rows of 9 neighbouring values; what lies outside of the picture is 0. */
static void patches(const scarlet__operand *view, size_t pixel, size_t count, float *out,
                    size_t stride)
{
    enum { ROW = 9, REST = SCARLET__PATCH - SCARLET__LANES };
    const size_t side = (size_t)view->side, out_side = (size_t)view->out_side;
    const size_t pad = (size_t)view->padding, centre = 1 - pad; /* of the first patch */
    size_t x = pixel % out_side, y = pixel / out_side % out_side;
    const float *picture = view->x + pixel / (out_side * out_side) * side * side * 3;
    for (size_t i = 0; i < count; i++) {
        float *low = out + i * SCARLET__LANES, *high = low + stride;
        const float *middle = picture + ((2 * y + centre) * side + 2 * x + centre) * 3;
        const bool whole =
            2 * x >= pad && 2 * y >= pad && 2 * x + centre + 1 < side && 2 * y + centre + 1 < side;
        if (whole) {
            const float *row = middle - 3, *above = row - side * 3, *below = row + side * 3;
            memcpy(low, above, ROW * sizeof *low);
            memcpy(low + ROW, row, (SCARLET__LANES - ROW) * sizeof *low);
            memcpy(high, row + SCARLET__LANES - ROW, (2 * ROW - SCARLET__LANES) * sizeof *high);
            memcpy(high + 2 * ROW - SCARLET__LANES, below, ROW * sizeof *high);
            memset(high + REST, 0, (SCARLET__LANES - REST) * sizeof *high);
        } else {
            float patch[2 * SCARLET__LANES] = {0};
            for (size_t tap = 0; tap < 9; tap++) {
                const size_t row = 2 * y + tap / 3 + centre; /* one more */
                const size_t column = 2 * x + tap % 3 + centre;
                if (row > 0 && row <= side && column > 0 && column <= side)
                    memcpy(patch + tap * 3, picture + ((row - 1) * side + column - 1) * 3,
                           3 * sizeof *patch);
            }
            memcpy(low, patch, SCARLET__LANES * sizeof *low);
            memcpy(high, patch + SCARLET__LANES, SCARLET__LANES * sizeof *high);
        }
        if (++x == out_side) {
            x = 0;
            if (++y == out_side) {
                y = 0;
                picture += side * side * 3;
            }
        }
    }
}

const float *scarlet__operand_block(const scarlet__training_kernels *kernels,
                                    const scarlet__operand *view, int first, int planes,
                                    size_t pixel, size_t count, float *buffer, size_t *stride)
{
    if (view->kind == SCARLET__RAW) {
        *stride = view->plane;
        return view->x + (size_t)first * view->plane + pixel * SCARLET__LANES;
    }
    *stride = SCARLET__BLOCK * SCARLET__LANES;
    if (view->kind == SCARLET__PATCHES) {
        patches(view, pixel, count, buffer, *stride);
        return buffer;
    }
    /* A gain is that of a picture, so pieces do not cross their borders. */
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done;
        if (view->gain && n > view->pixels - (pixel + done) % view->pixels)
            n = view->pixels - (pixel + done) % view->pixels;
        const scarlet__rectangle row = {.width = n, .height = 1};
        for (int i = 0; i < planes; i++)
            scarlet__operand_read(kernels, view, first + i, pixel + done, &row,
                                  buffer + (size_t)i * *stride + done * SCARLET__LANES);
    }
    return buffer;
}
