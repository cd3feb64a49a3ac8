#include "nas/units/stage.h"

static scarlet__dense planes_of(const scarlet__stage *stage, int first, int planes)
{
    const int left = stage->norm->channels - first * SCARLET__LANES;
    const size_t plane = scarlet__dense_plane(stage->channels);
    return (scarlet__dense){.in = &stage->in,
                            .channels = stage->channels,
                            .outs = left < planes * SCARLET__LANES ? left : planes * SCARLET__LANES,
                            .pixels = stage->pixels,
                            .weights = stage->weights + (size_t)first * plane,
                            .weights_plane = plane};
}

void scarlet__stage_forward(const scarlet__pass *pass, const scarlet__stage *stage, int first,
                            int planes)
{
    const scarlet__dense dense = planes_of(stage, first, planes);
    double sums[SCARLET__GROUP_MAX * 2 * SCARLET__LANES] = {0};
    scarlet__dense_forward(pass, &dense, stage->out + (size_t)first * stage->plane, stage->plane,
                           false, sums);
    scarlet__norm_forward(pass, stage->norm, &stage->normed, first, planes, stage->pixels, sums);
}

void scarlet__stage_backward(const scarlet__pass *pass, const scarlet__stage *stage, int first,
                             int planes, const float *gradient, const double *sums,
                             float *in_gradient, size_t in_plane, bool set)
{
    float factors[3][SCARLET__GROUP_MAX * SCARLET__LANES];
    const scarlet__norm_factors of = {factors[0], factors[1], factors[2]};
    const scarlet__dense dense = planes_of(stage, first, planes);
    scarlet__norm_backward(pass, stage->norm, &stage->normed, first, planes, stage->pixels, sums,
                           &of);
    const scarlet__operand raw = {.kind = SCARLET__COMBINED,
                                  .x = gradient,
                                  .plane = stage->plane,
                                  .other = stage->out + (size_t)first * stage->plane,
                                  .a = of.a,
                                  .b = of.b,
                                  .c = of.c};
    scarlet__dense_backward(pass, &dense, &raw, in_gradient, in_plane, !set, NULL);
}
