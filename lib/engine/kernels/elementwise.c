/* Activations, gates, sums and means. */
#include "engine/kernels/activations.h"
#include "engine/kernels/set.h"

static void activate_pixels(const float *in, size_t in_stride, float *out, size_t out_stride,
                            size_t pixels, size_t channels, scarlet__activation a)
{
    for (size_t p = 0; p < pixels; p++, in += in_stride, out += out_stride)
        for (size_t c = 0; c < channels; c += VL)
            store(out + c, activate(load(in + c), a));
}

static void relu(float *x, size_t channels)
{
    for (size_t c = 0; c < channels; c += VL)
        store(x + c, max(load(x + c), splat(0)));
}

static void hard_sigmoid(float *gate, size_t channels)
{
    for (size_t c = 0; c < channels; c += VL)
        store(gate + c, relu6(load(gate + c) + splat(3)) * splat(1.0f / 6));
}

static void scale(float *x, const float *gate, size_t pixels, size_t channels)
{
    for (size_t p = 0; p < pixels; p++, x += channels)
        for (size_t c = 0; c < channels; c += VL)
            store(x + c, load(x + c) * load(gate + c));
}

static void scale_rows(const float *x, const float *gate, size_t rows, size_t width, float *out)
{
    for (size_t r = 0; r < rows; r++, x += width, out += width)
        for (size_t j = 0; j < width; j += VL)
            store(out + j, load(x + j) * splat(gate[r]));
}

static void add(float *x, const float *y, size_t count)
{
    for (size_t i = 0; i < count; i += VL)
        store(x + i, load(x + i) + load(y + i));
}

static void mean(const float *x, size_t pixels, size_t channels, float factor, float *out)
{
    for (size_t c = 0; c < channels; c += VL) {
        vec sum = splat(0);
        for (size_t p = 0; p < pixels; p++)
            sum += load(x + p * channels + c);
        store(out + c, sum * splat(factor));
    }
}

void KERNEL(fill_elementwise)(scarlet__kernels *k)
{
    k->activate = activate_pixels;
    k->relu = relu;
    k->hard_sigmoid = hard_sigmoid;
    k->scale = scale;
    k->scale_rows = scale_rows;
    k->add = add;
    k->mean = mean;
}
