#include "nas/units/view.h"

#include <string.h>

void scarlet__view_read(const scarlet__training_kernels *kernels, const scarlet__view *view,
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
    const float *gain = scarlet__ones;
    if (view->gain)
        gain =
            view->gain + (size_t)plane * view->gain_plane + pixel / view->pixels * SCARLET__LANES;
    kernels->activate[view->f](x, view->scale + channel, view->shift + channel, gain, rectangle,
                               out);
}

/* A patch is 3 rows of 9 neighbouring values; what lies outside of the picture is 0. */
static void patches(const scarlet__view *view, size_t pixel, size_t count, float *out,
                    size_t stride)
{
    const size_t side = (size_t)view->side, out_side = (size_t)view->out_side;
    for (size_t i = 0; i < count; i++, pixel++) {
        const size_t picture = pixel / (out_side * out_side), place = pixel % (out_side * out_side);
        const size_t top = 2 * (place / out_side), left = 2 * (place % out_side);
        float patch[2 * SCARLET__LANES] = {0};
        for (size_t ky = 0; ky < 3; ky++) {
            if (top + ky < 1 || top + ky > side)
                continue;
            const float *row = view->x + (picture * side + top + ky - 1) * side * 3;
            const size_t from = left < 1 ? 1 : 0, to = left + 2 > side ? side + 1 - left : 3;
            memcpy(patch + ky * 9 + from * 3, row + (left + from - 1) * 3,
                   (to - from) * 3 * sizeof *patch);
        }
        memcpy(out + i * SCARLET__LANES, patch, SCARLET__LANES * sizeof *out);
        memcpy(out + stride + i * SCARLET__LANES, patch + SCARLET__LANES,
               SCARLET__LANES * sizeof *out);
    }
}

const float *scarlet__view_block(const scarlet__training_kernels *kernels,
                                 const scarlet__view *view, int first, int planes, size_t pixel,
                                 size_t count, float *buffer, size_t *stride)
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
            scarlet__view_read(kernels, view, first + i, pixel + done, &row,
                               buffer + (size_t)i * *stride + done * SCARLET__LANES);
    }
    return buffer;
}
