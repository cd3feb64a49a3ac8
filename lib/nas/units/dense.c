#include "nas/units/dense.h"

#include <string.h>

static size_t at_most(size_t count)
{
    return count < SCARLET__BLOCK ? count : SCARLET__BLOCK;
}

void scarlet__dense_forward(const scarlet__pass *pass, const scarlet__dense *dense, float *out,
                            size_t out_plane, bool add, double *sums)
{
    float part[SCARLET__OUT_PLANES * 2 * SCARLET__LANES];
    const int planes = scarlet__planes(dense->channels), outs = scarlet__planes(dense->outs);
    if (sums)
        memset(part, 0, (size_t)outs * 2 * SCARLET__LANES * sizeof *part);
    for (size_t pixel = 0, n; pixel < dense->pixels; pixel += n) {
        n = at_most(dense->pixels - pixel);
        scarlet__product product = {.channels = dense->channels,
                                    .weights = pass->parameters + dense->weights,
                                    .weights_plane = dense->weights_plane,
                                    .out = out + pixel * SCARLET__LANES,
                                    .out_plane = out_plane,
                                    .outs = outs,
                                    .pixels = n,
                                    .add = add,
                                    .sums = sums ? part : NULL};
        product.in = scarlet__operand_block(pass->kernels, dense->in, dense->first, planes, pixel,
                                            n, pass->scratch.block_in, &product.in_plane);
        pass->kernels->product(&product);
        if (sums && (pixel + n) % SCARLET__RUN == 0)
            scarlet__flush(sums, part, outs);
    }
    if (sums)
        scarlet__flush(sums, part, outs);
}

/* The weights with inputs and outputs exchanged: [plane of the input][channel of the output][16] */
static void transpose(const scarlet__pass *pass, const scarlet__dense *dense)
{
    const size_t square = (size_t)SCARLET__LANES * SCARLET__LANES;
    const size_t planes = (size_t)scarlet__planes(dense->channels);
    const size_t outs = (size_t)scarlet__planes(dense->outs);
    for (size_t i = 0; i < planes; i++)
        for (size_t j = 0; j < outs; j++)
            pass->kernels->transpose(pass->parameters + dense->weights + j * dense->weights_plane +
                                         i * square,
                                     pass->scratch.transposed + (i * outs + j) * square);
}

void scarlet__dense_backward(const scarlet__pass *pass, const scarlet__dense *dense,
                             const scarlet__operand *gradient, float *in_gradient, size_t in_plane,
                             bool add, double *sums)
{
    const int planes = scarlet__planes(dense->channels), outs = scarlet__planes(dense->outs);
    float part[SCARLET__GROUP_MAX * 2 * SCARLET__LANES] = {0};
    if (in_gradient)
        transpose(pass, dense);
    for (size_t pixel = 0, n; pixel < dense->pixels; pixel += n) {
        n = at_most(dense->pixels - pixel);
        scarlet__outer outer = {.channels = dense->channels,
                                .outs = outs,
                                .pixels = n,
                                .weights = pass->gradients + dense->weights,
                                .weights_plane = dense->weights_plane};
        outer.in = scarlet__operand_block(pass->kernels, dense->in, dense->first, planes, pixel, n,
                                          pass->scratch.block_in, &outer.in_plane);
        outer.gradient =
            scarlet__operand_block(pass->kernels, gradient, 0, outs, pixel, n,
                                   pass->scratch.block_gradient, &outer.gradient_plane);
        pass->kernels->outer(&outer);
        if (!in_gradient)
            continue;
        const scarlet__product product = {.in = outer.gradient,
                                          .in_plane = outer.gradient_plane,
                                          .channels = dense->outs,
                                          .weights = pass->scratch.transposed,
                                          .weights_plane = scarlet__dense_plane(dense->outs),
                                          .out = in_gradient + pixel * SCARLET__LANES,
                                          .out_plane = in_plane,
                                          .outs = planes,
                                          .pixels = n,
                                          .add = add};
        pass->kernels->product(&product);
        for (int i = 0; sums && i < planes; i++)
            scarlet__operand_derive(pass->kernels, dense->in, dense->first + i, pixel, n,
                                    product.out + (size_t)i * in_plane,
                                    part + i * 2 * SCARLET__LANES);
        if (sums && (pixel + n) % SCARLET__RUN == 0)
            scarlet__flush(sums, part, planes);
    }
    if (sums)
        scarlet__flush(sums, part, planes);
}
