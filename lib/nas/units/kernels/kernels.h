/*
 * The arithmetic of training, one set of functions for each instruction set.
 *
 * A tensor of a micro-batch is a row of planes of 16 channels: plane i holds channels 16 i to
 * 16 i + 15 of every pixel of every picture, [picture][y][x][16]. What is past the last channel
 * is 0. Planes are `plane` floats apart; vectors of channels ("lanes") are 16 floats.
 *
 * Sums are added to what is there: [0][16] of the values, [1][16] of their squares or products.
 */
#ifndef SCARLET_NAS_UNITS_KERNELS_KERNELS_H
#define SCARLET_NAS_UNITS_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

enum { SCARLET__LANES = 16 };

typedef enum scarlet__nonlinearity {
    SCARLET__F_IDENTITY,
    SCARLET__F_RELU,
    SCARLET__F_RELU6,
    SCARLET__F_HSWISH,       /* x * min(max(x + 3, 0), 6) / 6 */
    SCARLET__F_HARD_SIGMOID, /* min(max(x + 3, 0), 6) / 6 */
    SCARLET__NONLINEARITIES
} scarlet__nonlinearity;

/* out[j][p] = sum over input channels i of in[p][i] * weights[j][i], for `outs` planes j */
typedef struct scarlet__product {
    const float *in;
    size_t in_plane;
    int channels;         /* of the input; those of its last plane may be fewer than 16 */
    const float *weights; /* [plane of the output][channels of the input][16] */
    size_t weights_plane;
    float *out;
    size_t out_plane;
    int outs;
    size_t pixels;
    bool add;    /* to what `out` holds */
    float *sums; /* [outs][2][16] over what is stored; NULL: not wanted */
} scarlet__product;

/* weights[j][i] += sum over pixels of in[p][i] * gradient[j][p]; whole planes of i */
typedef struct scarlet__outer {
    const float *in;
    size_t in_plane;
    int channels;
    const float *gradient;
    size_t gradient_plane;
    int outs;
    size_t pixels;
    float *weights;
    size_t weights_plane;
} scarlet__outer;

/* One plane of one picture, with padding: rows of the padded input are in_row floats apart. Up to 8
 * pixels past what an output needs are read. */
typedef struct scarlet__filter {
    const float *in;
    size_t in_row;
    const float *weights; /* [k * k][16] */
    float *out;           /* [height][width][16] */
    size_t width, height;
    float *sums; /* [2][16]; NULL: not wanted */
    bool less;   /* of spread: the convolution's padding before the input is k / 2 - 1 */
} scarlet__filter;

/* weights[ky][kx] += sum over outputs of gradient[y][x] * in[y * s + ky][x * s + kx] */
typedef struct scarlet__filter_outer {
    const float *in;
    size_t in_row;
    const float *gradient;
    size_t gradient_row;
    size_t width, height; /* of the gradient */
    float *weights;
} scarlet__filter_outer;

/* A rectangle of pixels of one plane; the input's rows follow each other. */
typedef struct scarlet__rectangle {
    size_t width, height;
    size_t out_row; /* floats from a row of the output to the next */
} scarlet__rectangle;

typedef struct scarlet__training_kernels {
    int isa; /* SCARLET_ISA_* */

    void (*product)(const scarlet__product *);
    void (*outer)(const scarlet__outer *);
    /* rows of 16 become columns: out[j][i] = in[i][j] */
    void (*transpose)(const float *in, float *out);

    void (*filter[3][2])(const scarlet__filter *); /* [k = 3, 5, 7][stride 1, 2] */
    /* The gradient of the input of a stride of 2: `in` is that of the output with k / 2 pixels of
     * padding, width and height are the input's. No sums. (With a stride of 1 it is `filter` with
     * the weights in reverse.) */
    void (*spread[3])(const scarlet__filter *);
    void (*filter_outer[3][2])(const scarlet__filter_outer *);

    /* out = gain * f(scale * x + shift); gain NULL: 1 */
    void (*activate[SCARLET__NONLINEARITIES])(const float *x, const float *scale,
                                              const float *shift, const float *gain,
                                              const scarlet__rectangle *, float *out);
    /* sums[0] += f(scale * x + shift), sums[1] += the same times g (NULL: left out) */
    void (*pool[SCARLET__NONLINEARITIES])(const float *x, const float *scale, const float *shift,
                                          const float *g, size_t pixels, float *sums);
    /* out = (gain * g + offset) * f'(scale * x + shift), g NULL being 0; sums of out and out * x */
    void (*derive[SCARLET__NONLINEARITIES])(const float *g, const float *x, const float *scale,
                                            const float *shift, const float *gain,
                                            const float *offset, size_t pixels, float *out,
                                            float *sums);
    /* out = a * g + b * x + c */
    void (*combine)(const float *g, const float *x, const float *a, const float *b, const float *c,
                    const scarlet__rectangle *, float *out);
    /* out = scale * x + shift + residual (NULL: none) */
    void (*normalize)(const float *x, const float *scale, const float *shift, const float *residual,
                      size_t pixels, float *out);
    /* x = exp(x - most) for one vector of lanes in each of `planes` planes; x is at most `most` */
    void (*exponential)(float *x, size_t plane, size_t planes, float most);
    /* sums of g and of g * x */
    void (*correlate)(const float *g, const float *x, size_t pixels, float *sums);
} scarlet__training_kernels;

/* The kernels of the newest set up to `isa` that this build has. */
const scarlet__training_kernels *scarlet__training_kernels_for(int isa);

#endif
