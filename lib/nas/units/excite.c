#include "nas/units/excite.h"

#include "nas/units/dense.h"

scarlet__excited scarlet__excited_carve(scarlet__carver *arena, const scarlet__excite *excite,
                                        int pictures)
{
    const size_t plane = scarlet__plane((size_t)pictures);
    const size_t hidden = (size_t)scarlet__planes(excite->hidden) * plane;
    const size_t squeeze = (size_t)scarlet__planes(excite->squeeze) * plane;
    scarlet__excited kept;
    kept.means = scarlet__carve(arena, hidden);
    kept.squeezed = scarlet__carve(arena, squeeze);
    kept.rectified = scarlet__carve(arena, squeeze);
    kept.excited = scarlet__carve(arena, hidden);
    kept.gate = scarlet__carve(arena, hidden);
    kept.gate_gradient = scarlet__carve(arena, hidden);
    kept.squeezed_gradient = scarlet__carve(arena, squeeze);
    return kept;
}

/* The two layers: means to squeezed, rectified to excited. */
static scarlet__dense layer(const scarlet__pass *pass, const scarlet__operand *in, int channels,
                            int outs, size_t weights)
{
    return (scarlet__dense){.in = in,
                            .channels = channels,
                            .outs = outs,
                            .pixels = (size_t)pass->pictures,
                            .weights = weights,
                            .weights_plane = scarlet__dense_plane(channels)};
}

/* out = f(in + bias) */
static void apply(const scarlet__pass *pass, scarlet__nonlinearity f, int channels, size_t bias,
                  const float *in, float *out)
{
    const size_t plane = scarlet__plane((size_t)pass->pictures);
    const scarlet__rectangle all = {.width = (size_t)pass->pictures, .height = 1};
    for (size_t i = 0; i < (size_t)scarlet__planes(channels); i++)
        pass->kernels->activate[f](in + i * plane, scarlet__ones,
                                   pass->parameters + bias + i * SCARLET__LANES, scarlet__ones,
                                   &all, out + i * plane);
}

/* From the gradient of f(in + bias) to that of `in`, in its place; adds to that of the bias. */
static void back(const scarlet__pass *pass, scarlet__nonlinearity f, int channels, size_t bias,
                 const float *in, float *gradient)
{
    const size_t plane = scarlet__plane((size_t)pass->pictures);
    for (size_t i = 0; i < (size_t)scarlet__planes(channels); i++) {
        float sums[2 * SCARLET__LANES] = {0};
        const size_t at = bias + i * SCARLET__LANES;
        pass->kernels->derive[f](gradient + i * plane, in + i * plane, scarlet__ones,
                                 pass->parameters + at, scarlet__ones, scarlet__zeros,
                                 (size_t)pass->pictures, gradient + i * plane, sums);
        for (int j = 0; j < SCARLET__LANES; j++)
            pass->gradients[at + (size_t)j] += sums[j];
    }
}

void scarlet__excite_forward(const scarlet__pass *pass, const scarlet__excite *excite,
                             const scarlet__excited *kept)
{
    const size_t plane = scarlet__plane((size_t)pass->pictures);
    const scarlet__operand means = {.x = kept->means, .plane = plane};
    const scarlet__operand rectified = {.x = kept->rectified, .plane = plane};
    const scarlet__dense first =
        layer(pass, &means, excite->hidden, excite->squeeze, excite->squeeze_weights);
    const scarlet__dense second =
        layer(pass, &rectified, excite->squeeze, excite->hidden, excite->excite_weights);
    scarlet__dense_forward(pass, &first, kept->squeezed, plane, false, NULL);
    apply(pass, SCARLET__F_RELU, excite->squeeze, excite->squeeze_bias, kept->squeezed,
          kept->rectified);
    scarlet__dense_forward(pass, &second, kept->excited, plane, false, NULL);
    apply(pass, SCARLET__F_HARD_SIGMOID, excite->hidden, excite->excite_bias, kept->excited,
          kept->gate);
}

void scarlet__excite_backward(const scarlet__pass *pass, const scarlet__excite *excite,
                              const scarlet__excited *kept)
{
    const size_t plane = scarlet__plane((size_t)pass->pictures);
    const scarlet__operand means = {.x = kept->means, .plane = plane};
    const scarlet__operand rectified = {.x = kept->rectified, .plane = plane};
    const scarlet__operand of_excited = {.x = kept->gate_gradient, .plane = plane};
    const scarlet__operand of_squeezed = {.x = kept->squeezed_gradient, .plane = plane};
    const scarlet__dense first =
        layer(pass, &means, excite->hidden, excite->squeeze, excite->squeeze_weights);
    const scarlet__dense second =
        layer(pass, &rectified, excite->squeeze, excite->hidden, excite->excite_weights);
    back(pass, SCARLET__F_HARD_SIGMOID, excite->hidden, excite->excite_bias, kept->excited,
         kept->gate_gradient);
    scarlet__dense_backward(pass, &second, &of_excited, kept->squeezed_gradient, plane, false,
                            NULL);
    back(pass, SCARLET__F_RELU, excite->squeeze, excite->squeeze_bias, kept->squeezed,
         kept->squeezed_gradient);
    scarlet__dense_backward(pass, &first, &of_squeezed, kept->gate_gradient, plane, false, NULL);
}
