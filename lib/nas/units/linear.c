#include "nas/units/linear.h"

#include <string.h>

#include "nas/units/stage.h"

/* ---- tail ---- */

static size_t picture(const scarlet__unit *unit)
{
    return (size_t)unit->in_side * (size_t)unit->in_side;
}

static scarlet__stage stage(const scarlet__unit *unit, int pictures, const float *x,
                            scarlet__carver *arena)
{
    const size_t pixels = (size_t)pictures * picture(unit);
    scarlet__stage s = {.channels = unit->in,
                        .pixels = pixels,
                        .weights = unit->expand,
                        .norm = &unit->expanded,
                        .plane = scarlet__plane(pixels)};
    s.in = (scarlet__operand){.x = x, .plane = s.plane};
    s.out = scarlet__carve(arena, (size_t)scarlet__planes(unit->out) * s.plane);
    s.normed = scarlet__normed_carve(arena, unit->out);
    return s;
}

size_t scarlet__tail_kept(const scarlet__unit *unit, int pictures)
{
    scarlet__carver arena = {0};
    stage(unit, pictures, NULL, &arena);
    return arena.used;
}

void scarlet__tail_needs(const scarlet__unit *unit, int pictures, scarlet__scratch_sizes *sizes)
{
    const size_t plane = scarlet__plane((size_t)pictures * picture(unit));
    scarlet__raise(&sizes->transposed, SCARLET__GROUP_MAX * scarlet__dense_plane(unit->in));
    scarlet__raise(&sizes->group, SCARLET__GROUP_MAX * plane);
}

static int group(const scarlet__unit *unit, const scarlet__stage *s, int first)
{
    const int planes = scarlet__planes(unit->out) - first, most = scarlet__group_planes(s->pixels);
    return planes < most ? planes : most;
}

void scarlet__tail_forward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                           float *kept, float *y)
{
    scarlet__carver arena = {.at = kept};
    const scarlet__stage s = stage(unit, pass->pictures, x, &arena);
    const size_t count = (size_t)pass->pictures, y_plane = scarlet__plane(count);
    const float part = 1.0f / (float)picture(unit);
    for (int first = 0, planes; first < scarlet__planes(unit->out); first += planes) {
        planes = group(unit, &s, first);
        scarlet__stage_forward(pass, &s, first, planes);
        for (size_t plane = (size_t)first; plane < (size_t)first + (size_t)planes; plane++) {
            for (size_t i = 0; i < count; i++) {
                float sums[2 * SCARLET__LANES] = {0};
                pass->kernels->pool[unit->nonlinearity](
                    s.out + plane * s.plane + i * picture(unit) * SCARLET__LANES,
                    s.normed.scale + plane * SCARLET__LANES,
                    s.normed.shift + plane * SCARLET__LANES, NULL, picture(unit), sums);
                for (size_t c = 0; c < SCARLET__LANES; c++)
                    y[plane * y_plane + i * SCARLET__LANES + c] = sums[c] * part;
            }
        }
    }
}

void scarlet__tail_backward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                            float *kept, const float *y_gradient, float *x_gradient)
{
    scarlet__carver arena = {.at = kept};
    const scarlet__stage s = stage(unit, pass->pictures, x, &arena);
    const size_t count = (size_t)pass->pictures, y_plane = scarlet__plane(count);
    const float part = 1.0f / (float)picture(unit);
    for (int first = 0, planes; first < scarlet__planes(unit->out); first += planes) {
        double sums[SCARLET__GROUP_MAX * 2 * SCARLET__LANES] = {0};
        planes = group(unit, &s, first);
        for (size_t j = 0; j < (size_t)planes; j++) {
            const size_t plane = (size_t)first + j;
            for (size_t i = 0; i < count; i++) {
                const size_t at = i * picture(unit) * SCARLET__LANES;
                float offset[SCARLET__LANES], sum[2 * SCARLET__LANES] = {0};
                for (size_t c = 0; c < SCARLET__LANES; c++)
                    offset[c] = y_gradient[plane * y_plane + i * SCARLET__LANES + c] * part;
                pass->kernels->derive[unit->nonlinearity](
                    NULL, s.out + plane * s.plane + at, s.normed.scale + plane * SCARLET__LANES,
                    s.normed.shift + plane * SCARLET__LANES, scarlet__ones, offset, picture(unit),
                    pass->scratch.group + j * s.plane + at, sum);
                scarlet__flush(sums + j * 2 * SCARLET__LANES, sum, 1);
            }
        }
        scarlet__stage_backward(pass, &s, first, planes, pass->scratch.group, sums, x_gradient,
                                s.plane, first == 0);
    }
}

/* ---- LET and classifier ---- */

static scarlet__dense dense(const scarlet__unit *unit, const scarlet__pass *pass,
                            const scarlet__operand *in)
{
    const size_t pictures = (size_t)pass->pictures;
    return (scarlet__dense){.in = in,
                            .channels = unit->in,
                            .outs = unit->out,
                            .pixels = unit->kind == SCARLET__UNIT_LET ? pictures * picture(unit)
                                                                      : pictures,
                            .weights = unit->expand,
                            .weights_plane = scarlet__dense_plane(unit->in)};
}

void scarlet__linear_needs(const scarlet__unit *unit, scarlet__scratch_sizes *sizes)
{
    scarlet__raise(&sizes->transposed,
                   (size_t)scarlet__planes(unit->out) * scarlet__dense_plane(unit->in));
}

void scarlet__linear_forward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                             float *y)
{
    scarlet__operand in = {.x = x};
    const scarlet__dense d = dense(unit, pass, &in);
    in.plane = scarlet__plane(d.pixels);
    scarlet__dense_forward(pass, &d, y, in.plane, false, NULL);
    if (unit->kind == SCARLET__UNIT_LET)
        return;
    for (size_t j = 0; j < (size_t)scarlet__planes(unit->out); j++)
        pass->kernels->normalize(y + j * in.plane, scarlet__ones,
                                 pass->parameters + unit->bias + j * SCARLET__LANES, NULL, d.pixels,
                                 y + j * in.plane);
}

void scarlet__linear_backward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                              const float *y_gradient, float *x_gradient)
{
    scarlet__operand in = {.x = x};
    const scarlet__dense d = dense(unit, pass, &in);
    in.plane = scarlet__plane(d.pixels);
    const scarlet__operand gradient = {.x = y_gradient, .plane = in.plane};
    scarlet__dense_backward(pass, &d, &gradient, x_gradient, in.plane, false, NULL);
    if (unit->kind == SCARLET__UNIT_LET)
        return;
    for (size_t j = 0; j < (size_t)scarlet__planes(unit->out); j++)
        for (size_t i = 0; i < d.pixels * SCARLET__LANES; i++)
            pass->gradients[unit->bias + j * SCARLET__LANES + i % SCARLET__LANES] +=
                y_gradient[j * in.plane + i];
}
