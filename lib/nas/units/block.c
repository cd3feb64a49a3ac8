/*
 * A block goes group by group of hidden planes: expansion, its batch norm, depthwise convolution,
 * its batch norm and, without squeeze-excite, the group's share of the projection, while all of it
 * is in the cache. The backward pass goes through the groups in the same way. Squeeze-excite needs
 * all groups at its gates, so there the passes are cut in two.
 */
#include "nas/units/block.h"

#include <string.h>

#include "nas/units/depthwise.h"
#include "nas/units/stage.h"

typedef struct {
    const scarlet__unit *unit;
    const scarlet__pass *pass;
    size_t pixels, out_pixels; /* of the micro-batch */
    size_t picture;            /* out_pixels of one */
    scarlet__stage expand;
    scarlet__depthwise_shape depthwise;
    float *filtered; /* the depthwise convolution's output */
    size_t plane;    /* of it, and of what follows */
    scarlet__normed filtered_norm;
    scarlet__operand active; /* `filtered` after batch norm, activation and gate */
    scarlet__excited excited;
    float *projected;
    scarlet__normed projected_norm;
} work;

static size_t square(int side)
{
    return (size_t)side * (size_t)side;
}

/* Where all of it is in the kept memory. */
static work prepare(const scarlet__unit *unit, const scarlet__pass *pass, int pictures,
                    const float *x, scarlet__carver *arena)
{
    work w = {.unit = unit, .pass = pass};
    const size_t hidden = (size_t)scarlet__planes(unit->hidden);
    w.picture = square(unit->out_side);
    w.pixels = (size_t)pictures * square(unit->side);
    w.out_pixels = (size_t)pictures * w.picture;
    w.expand = (scarlet__stage){.channels = unit->in,
                                .pixels = w.pixels,
                                .weights = unit->expand,
                                .norm = &unit->expanded,
                                .plane = scarlet__plane(w.pixels)};
    w.expand.in = (scarlet__operand){.x = x, .plane = w.expand.plane};
    if (unit->kind == SCARLET__UNIT_ENTRY) {
        w.expand.channels = SCARLET__PATCH;
        w.expand.in = (scarlet__operand){.kind = SCARLET__PATCHES,
                                         .x = x,
                                         .side = unit->in_side,
                                         .out_side = unit->side,
                                         .padding = unit->in_padding};
    }
    w.expand.out = scarlet__carve(arena, hidden * w.expand.plane);
    w.expand.normed = scarlet__normed_carve(arena, unit->hidden);
    w.depthwise = (scarlet__depthwise_shape){unit->kernel, unit->stride, unit->side, unit->out_side,
                                             unit->padding};
    w.plane = scarlet__plane(w.out_pixels);
    w.filtered = scarlet__carve(arena, hidden * w.plane);
    w.filtered_norm = scarlet__normed_carve(arena, unit->hidden);
    if (unit->excite.squeeze)
        w.excited = scarlet__excited_carve(arena, &unit->excite, pictures);
    w.active = (scarlet__operand){.kind = SCARLET__ACTIVATED,
                                  .x = w.filtered,
                                  .plane = w.plane,
                                  .f = unit->nonlinearity,
                                  .scale = w.filtered_norm.scale,
                                  .shift = w.filtered_norm.shift,
                                  .gain = w.excited.gate,
                                  .gain_plane = scarlet__plane((size_t)pictures),
                                  .pixels = w.picture};
    w.projected = scarlet__carve(arena, (size_t)scarlet__planes(unit->out) * w.plane);
    w.projected_norm = scarlet__normed_carve(arena, unit->out);
    return w;
}

size_t scarlet__block_kept(const scarlet__unit *unit, int pictures)
{
    scarlet__carver arena = {0};
    prepare(unit, NULL, pictures, NULL, &arena);
    return arena.used;
}

void scarlet__block_needs(const scarlet__unit *unit, int pictures, scarlet__scratch_sizes *sizes)
{
    scarlet__carver arena = {0};
    const work w = prepare(unit, NULL, pictures, NULL, &arena);
    const size_t outs = (size_t)scarlet__planes(unit->out);
    const size_t hidden = (size_t)scarlet__planes(unit->hidden);
    const size_t squeeze = (size_t)scarlet__planes(unit->excite.squeeze);
    const size_t tile = (size_t)SCARLET__LANES * SCARLET__LANES;
    scarlet__raise(&sizes->padded_in, scarlet__depthwise_padded(&w.depthwise, unit->side));
    scarlet__raise(&sizes->padded_gradient,
                   scarlet__depthwise_padded(&w.depthwise, unit->out_side));
    scarlet__raise(&sizes->transposed,
                   SCARLET__GROUP_MAX * tile * (outs + (size_t)scarlet__planes(unit->in)));
    scarlet__raise(&sizes->transposed, tile * hidden * squeeze);
    /* Only gates need the gradients of all groups at once. */
    scarlet__raise(&sizes->wide, (squeeze ? hidden : SCARLET__GROUP_MAX) * w.plane);
    scarlet__raise(&sizes->group, SCARLET__GROUP_MAX * w.expand.plane);
    scarlet__raise(&sizes->narrow, outs * w.plane);
}

/* Planes of the group that begins with plane `first`. */
static int group(const work *w, int first)
{
    const int planes = scarlet__planes(w->unit->hidden) - first;
    const int most = scarlet__group_planes(w->pixels);
    return planes < most ? planes : most;
}

/* A group's share of the projection. */
static scarlet__dense projection(const work *w, int first, int planes)
{
    const int left = w->unit->hidden - first * SCARLET__LANES;
    return (scarlet__dense){
        .in = &w->active,
        .first = first,
        .channels = left < planes * SCARLET__LANES ? left : planes * SCARLET__LANES,
        .outs = w->unit->out,
        .pixels = w->out_pixels,
        .weights = w->unit->project + (size_t)first * SCARLET__LANES * SCARLET__LANES,
        .weights_plane = scarlet__dense_plane(w->unit->hidden)};
}

/* ---- forward ---- */

static void filter(const work *w, int first, int planes)
{
    const scarlet__operand in = scarlet__stage_view(&w->expand, w->unit->nonlinearity);
    const size_t taps = square(w->unit->kernel) * SCARLET__LANES;
    double sums[SCARLET__GROUP_MAX * 2 * SCARLET__LANES] = {0};
    for (int i = 0; i < planes; i++) {
        const size_t plane = (size_t)first + (size_t)i;
        scarlet__depthwise_forward(w->pass, &w->depthwise, &in, first + i,
                                   w->unit->depthwise + plane * taps,
                                   w->filtered + plane * w->plane, sums + i * 2 * SCARLET__LANES);
    }
    scarlet__norm_forward(w->pass, &w->unit->filtered, &w->filtered_norm, first, planes,
                          w->out_pixels, sums);
}

/* Means of the activations of some planes, or with `gradient`, theirs, the gradients of the gates:
 * sums of activations times gradients. */
static void pool(const work *w, int first, int planes, const float *gradient)
{
    const float part = 1.0f / (float)w->picture;
    for (size_t plane = (size_t)first; plane < (size_t)first + (size_t)planes; plane++) {
        const size_t channel = plane * SCARLET__LANES;
        for (size_t i = 0; i < (size_t)w->pass->pictures; i++) {
            const size_t at = plane * w->plane + i * w->picture * SCARLET__LANES;
            const size_t to = plane * w->active.gain_plane + i * SCARLET__LANES;
            float sums[2 * SCARLET__LANES] = {0};
            w->pass->kernels->pool[w->unit->nonlinearity](
                w->filtered + at, w->filtered_norm.scale + channel,
                w->filtered_norm.shift + channel, gradient ? gradient + at : NULL, w->picture,
                sums);
            for (size_t c = 0; c < SCARLET__LANES; c++) {
                if (gradient)
                    w->excited.gate_gradient[to + c] = sums[SCARLET__LANES + c];
                else
                    w->excited.means[to + c] = sums[c] * part;
            }
        }
    }
}

static void project(const work *w, int first, int planes, double *sums)
{
    const scarlet__dense dense = projection(w, first, planes);
    const bool last = first + planes == scarlet__planes(w->unit->hidden);
    scarlet__dense_forward(w->pass, &dense, w->projected, w->plane, first > 0, last ? sums : NULL);
}

void scarlet__block_forward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                            float *kept, float *y)
{
    scarlet__carver arena = {.at = kept};
    const work w = prepare(unit, pass, pass->pictures, x, &arena);
    const int hidden = scarlet__planes(unit->hidden), outs = scarlet__planes(unit->out);
    double sums[SCARLET__OUT_PLANES * 2 * SCARLET__LANES] = {0};
    scarlet__depthwise_begin(pass, &w.depthwise);
    for (int first = 0, planes; first < hidden; first += planes) {
        planes = group(&w, first);
        scarlet__stage_forward(pass, &w.expand, first, planes);
        filter(&w, first, planes);
        if (unit->excite.squeeze)
            pool(&w, first, planes, NULL);
        else
            project(&w, first, planes, sums);
    }
    if (unit->excite.squeeze) {
        scarlet__excite_forward(pass, &unit->excite, &w.excited);
        for (int first = 0; first < hidden; first += group(&w, first))
            project(&w, first, group(&w, first), sums);
    }
    scarlet__norm_forward(pass, &unit->projected, &w.projected_norm, 0, outs, w.out_pixels, sums);
    for (size_t i = 0; i < (size_t)outs; i++)
        pass->kernels->normalize(
            w.projected + i * w.plane, w.projected_norm.scale + i * SCARLET__LANES,
            w.projected_norm.shift + i * SCARLET__LANES, unit->residual ? x + i * w.plane : NULL,
            w.out_pixels, y + i * w.plane);
}

/* ---- backward ---- */

/* The gradient of the projection, through its batch norm, to scratch.narrow. */
static void unnormalize(const work *w, const float *y_gradient)
{
    const int outs = scarlet__planes(w->unit->out);
    const scarlet__training_kernels *kernels = w->pass->kernels;
    float factors[3][SCARLET__LANES];
    const scarlet__norm_factors of = {factors[0], factors[1], factors[2]};
    const scarlet__rectangle all = {.width = w->out_pixels, .height = 1};
    for (int i = 0; i < outs; i++) {
        const size_t at = (size_t)i * w->plane;
        double sums[2 * SCARLET__LANES] = {0};
        float part[2 * SCARLET__LANES] = {0};
        for (size_t pixel = 0, n; pixel < w->out_pixels; pixel += n) {
            n = w->out_pixels - pixel < SCARLET__RUN ? w->out_pixels - pixel : SCARLET__RUN;
            kernels->correlate(y_gradient + at + pixel * SCARLET__LANES,
                               w->projected + at + pixel * SCARLET__LANES, n, part);
            scarlet__flush(sums, part, 1);
        }
        scarlet__norm_backward(w->pass, &w->unit->projected, &w->projected_norm, i, 1,
                               w->out_pixels, sums, &of);
        kernels->combine(y_gradient + at, w->projected + at, of.a, of.b, of.c, &all,
                         w->pass->scratch.narrow + at);
    }
}

/* Through the projection: from scratch.narrow to `wide`, the gradient of the gated activations or,
 * with `sums`, of what the depthwise convolution gave. */
static void unproject(const work *w, int first, int planes, float *wide, double *sums)
{
    const scarlet__dense dense = projection(w, first, planes);
    const scarlet__operand narrow = {.x = w->pass->scratch.narrow, .plane = w->plane};
    scarlet__dense_backward(w->pass, &dense, &narrow, wide, w->plane, false, sums);
}

/* Through gate and activation, in place: adds to the sums. */
static void ungate(const work *w, int plane, float *gradient, double *sums)
{
    const size_t channel = (size_t)plane * SCARLET__LANES;
    const float *x = w->filtered + (size_t)plane * w->plane;
    const float part = 1.0f / (float)w->picture;
    for (size_t i = 0; i < (size_t)w->pass->pictures; i++) {
        const size_t at = i * w->picture * SCARLET__LANES;
        const size_t of = (size_t)plane * w->active.gain_plane + i * SCARLET__LANES;
        float offset[SCARLET__LANES], sum[2 * SCARLET__LANES] = {0};
        for (size_t c = 0; c < SCARLET__LANES; c++)
            offset[c] = w->excited.gate_gradient[of + c] * part;
        w->pass->kernels->derive[w->unit->nonlinearity](
            gradient + at, x + at, w->filtered_norm.scale + channel,
            w->filtered_norm.shift + channel, w->active.gain + of, offset, w->picture,
            gradient + at, sum);
        scarlet__flush(sums, sum, 1);
    }
}

/* From the gradient `wide` of what the depthwise convolution gave after batch norm, with its sums,
 * to that of x. */
static void unfilter(const work *w, int first, int planes, const float *wide, const double *sums,
                     float *x_gradient)
{
    const scarlet__unit *unit = w->unit;
    const scarlet__operand active = scarlet__stage_view(&w->expand, unit->nonlinearity);
    const size_t taps = square(unit->kernel) * SCARLET__LANES;
    float factors[3][SCARLET__GROUP_MAX * SCARLET__LANES];
    const scarlet__norm_factors of = {factors[0], factors[1], factors[2]};
    double before[SCARLET__GROUP_MAX * 2 * SCARLET__LANES] = {0};
    scarlet__norm_backward(w->pass, &unit->filtered, &w->filtered_norm, first, planes,
                           w->out_pixels, sums, &of);
    const scarlet__operand raw = {.kind = SCARLET__COMBINED,
                                  .x = wide,
                                  .plane = w->plane,
                                  .other = w->filtered + (size_t)first * w->plane,
                                  .a = of.a,
                                  .b = of.b,
                                  .c = of.c};
    for (int i = 0; i < planes; i++)
        scarlet__depthwise_backward(w->pass, &w->depthwise, &active, first + i, &raw, i,
                                    unit->depthwise + (size_t)(first + i) * taps,
                                    w->pass->scratch.group + (size_t)i * w->expand.plane,
                                    before + i * 2 * SCARLET__LANES);
    scarlet__stage_backward(w->pass, &w->expand, first, planes, w->pass->scratch.group, before,
                            x_gradient, w->expand.plane, first == 0 && !unit->residual);
}

void scarlet__block_backward(const scarlet__unit *unit, const scarlet__pass *pass, const float *x,
                             float *kept, float *y_gradient, float *x_gradient)
{
    scarlet__carver arena = {.at = kept};
    const work w = prepare(unit, pass, pass->pictures, x, &arena);
    const int hidden = scarlet__planes(unit->hidden);
    const bool gated = unit->excite.squeeze > 0;
    float *wide = pass->scratch.wide;
    scarlet__depthwise_begin(pass, &w.depthwise);
    unnormalize(&w, y_gradient);
    for (int first = 0; gated && first < hidden; first += group(&w, first)) {
        unproject(&w, first, group(&w, first), wide + (size_t)first * w.plane, NULL);
        pool(&w, first, group(&w, first), wide);
    }
    if (gated)
        scarlet__excite_backward(pass, &unit->excite, &w.excited);
    for (int first = 0, planes; first < hidden; first += planes) {
        double sums[SCARLET__GROUP_MAX * 2 * SCARLET__LANES] = {0};
        float *group_wide = gated ? wide + (size_t)first * w.plane : wide;
        planes = group(&w, first);
        for (int i = 0; gated && i < planes; i++)
            ungate(&w, first + i, group_wide + (size_t)i * w.plane, sums + i * 2 * SCARLET__LANES);
        if (!gated)
            unproject(&w, first, planes, group_wide, sums);
        unfilter(&w, first, planes, group_wide, sums, x_gradient);
    }
}
