#include "nas/units/depthwise.h"

#include <string.h>

enum { PAST = 8 * 2 + 8 }; /* pixels that kernels read past the last row */

size_t scarlet__depthwise_padded(const scarlet__depthwise_shape *depthwise, int side)
{
    const size_t row = (size_t)(side + depthwise->kernel - 1);
    return (row * row + PAST) * SCARLET__LANES;
}

/* Where pixel (0, 0) is in a padded picture, and how its rows follow each other. */
typedef struct {
    size_t row, inside, pixels;
    scarlet__rectangle rectangle;
} padding;

static padding pad(const scarlet__depthwise_shape *depthwise, int side, int before)
{
    padding p;
    p.row = (size_t)(side + depthwise->kernel - 1) * SCARLET__LANES;
    p.inside = (size_t)before * (p.row + SCARLET__LANES);
    p.pixels = (size_t)side * (size_t)side;
    p.rectangle =
        (scarlet__rectangle){.width = (size_t)side, .height = (size_t)side, .out_row = p.row};
    return p;
}

/* Pictures whose pixels are summed in float32. */
static size_t pictures_of_run(size_t pixels)
{
    return pixels < SCARLET__RUN ? SCARLET__RUN / pixels : 1;
}

void scarlet__depthwise_begin(const scarlet__pass *pass, const scarlet__depthwise_shape *depthwise)
{
    memset(pass->scratch.padded_in, 0,
           scarlet__depthwise_padded(depthwise, depthwise->side) * sizeof(float));
    memset(pass->scratch.padded_gradient, 0,
           scarlet__depthwise_padded(depthwise, depthwise->out_side) * sizeof(float));
}

void scarlet__depthwise_forward(const scarlet__pass *pass,
                                const scarlet__depthwise_shape *depthwise,
                                const scarlet__operand *in, int plane, size_t weights, float *out,
                                double *sums)
{
    const padding around = pad(depthwise, depthwise->side, depthwise->padding);
    const size_t out_side = (size_t)depthwise->out_side;
    const size_t flushed = pictures_of_run(out_side * out_side);
    float *padded = pass->scratch.padded_in, part[2 * SCARLET__LANES] = {0};
    for (size_t i = 0; i < (size_t)pass->pictures; i++) {
        scarlet__operand_read(pass->kernels, in, plane, i * around.pixels, &around.rectangle,
                              padded + around.inside);
        const scarlet__filter filter = {.in = padded,
                                        .in_row = around.row,
                                        .weights = pass->parameters + weights,
                                        .out = out + i * out_side * out_side * SCARLET__LANES,
                                        .width = out_side,
                                        .height = out_side,
                                        .sums = part};
        pass->kernels->filter[depthwise->kernel / 2 - 1][depthwise->stride - 1](&filter);
        if ((i + 1) % flushed == 0)
            scarlet__flush(sums, part, 1);
    }
    scarlet__flush(sums, part, 1);
}

void scarlet__depthwise_backward(const scarlet__pass *pass,
                                 const scarlet__depthwise_shape *depthwise,
                                 const scarlet__operand *in, int plane,
                                 const scarlet__operand *gradient, int gradient_plane,
                                 size_t weights, float *in_gradient, double *sums)
{
    const scarlet__training_kernels *kernels = pass->kernels;
    const int which = depthwise->kernel / 2 - 1, taps = depthwise->kernel * depthwise->kernel;
    const padding around = pad(depthwise, depthwise->side, depthwise->padding);
    const padding around_out = pad(depthwise, depthwise->out_side, depthwise->kernel / 2);
    const size_t side = (size_t)depthwise->side, flushed = pictures_of_run(around.pixels);
    float *padded = pass->scratch.padded_in, *padded_gradient = pass->scratch.padded_gradient;
    float reversed[49 * SCARLET__LANES], part[2 * SCARLET__LANES] = {0};
    for (int i = 0; i < taps; i++)
        memcpy(reversed + (taps - 1 - i) * SCARLET__LANES,
               pass->parameters + weights + i * SCARLET__LANES, SCARLET__LANES * sizeof *reversed);
    for (size_t i = 0; i < (size_t)pass->pictures; i++) {
        scarlet__operand_read(kernels, in, plane, i * around.pixels, &around.rectangle,
                              padded + around.inside);
        scarlet__operand_read(kernels, gradient, gradient_plane, i * around_out.pixels,
                              &around_out.rectangle, padded_gradient + around_out.inside);
        const scarlet__filter_outer outer = {.in = padded,
                                             .in_row = around.row,
                                             .gradient = padded_gradient + around_out.inside,
                                             .gradient_row = around_out.row,
                                             .width = around_out.rectangle.width,
                                             .height = around_out.rectangle.height,
                                             .weights = pass->gradients + weights};
        kernels->filter_outer[which][depthwise->stride - 1](&outer);
        scarlet__filter filter = {.in = padded_gradient,
                                  .in_row = around_out.row,
                                  .weights = reversed,
                                  .out = in_gradient + i * around.pixels * SCARLET__LANES,
                                  .width = side,
                                  .height = side};
        if (depthwise->stride == 1) {
            kernels->filter[which][0](&filter);
        } else {
            filter.weights = pass->parameters + weights;
            filter.less = depthwise->padding < depthwise->kernel / 2;
            kernels->spread[which](&filter);
        }
        scarlet__operand_derive(kernels, in, plane, i * around.pixels, around.pixels, filter.out,
                                part);
        if ((i + 1) % flushed == 0)
            scarlet__flush(sums, part, 1);
    }
    scarlet__flush(sums, part, 1);
}
