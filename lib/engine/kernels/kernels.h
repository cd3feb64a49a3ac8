/*
 * Our own micro-kernels, one set of functions for each instruction set.
 *
 * Channels come in whole vectors everywhere: arrays are padded with zeros. A chunk is a run of
 * `channels` channels whose pixels follow each other without gaps.
 */
#ifndef SCARLET_ENGINE_KERNELS_KERNELS_H
#define SCARLET_ENGINE_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCARLET__TILE = 7,         /* outputs a depthwise step; divides 112, 56, 28, 14 and 7 */
    SCARLET__CHUNK_MAX = 48,   /* channels */
    SCARLET__VECTOR_MAX = 16,  /* floats */
    SCARLET__GEMM_VECTORS = 3, /* of outputs that a gemm computes at once */
    SCARLET__GEMV_VECTORS = 6  /* that a gemv does */
};

typedef enum scarlet__activation {
    SCARLET__LINEAR,
    SCARLET__RELU6,
    SCARLET__HSWISH6 /* 6 * h-swish */
} scarlet__activation;

/* One output row of a depthwise convolution over one chunk. */
typedef struct scarlet__depthwise {
    /* k input rows [pixel][channels], from the leftmost padding pixel on; readable up to
     * (ceil(width / 7) * 7 - 1) * stride + k pixels */
    const float *const *rows;
    size_t channels;
    const float *weights, *bias; /* [vector][k * k][VL], [channels] */
    float *out;                  /* pixel x goes to out + x * out_stride */
    size_t out_stride, width;
    scarlet__activation activation; /* not LINEAR */
    float *sum; /* [channels]: the sum over the row is added; NULL: not wanted */
} scarlet__depthwise;
typedef void (*scarlet__depthwise_fn)(const scarlet__depthwise *);

/* `k` values of each row's input: value i of row r is a[r * stride + i]. */
typedef struct scarlet__segment {
    const float *a;
    size_t stride, k;
} scarlet__segment;

/* Memory that later work will read, fetched to the second-level cache a line a step. */
typedef struct scarlet__prefetch {
    const char *at, *end;
} scarlet__prefetch;

/* out[r][j] = activation(bias[j] + residual[r][j] + sum over segments and i of a[r][i] w[i][j]) */
typedef struct scarlet__gemm {
    const scarlet__segment *segment; /* the inputs of a row, in turn */
    size_t segments;
    const float *weights; /* [sum of k][vectors * VL] */
    const float *bias;
    const float *residual; /* rows as far apart as those of out; NULL: none. With LINEAR only */
    float *out;
    size_t out_stride;
    size_t rows;
    int vectors; /* 1 .. SCARLET__GEMM_VECTORS */
    scarlet__activation activation;
    scarlet__prefetch *prefetch;
} scarlet__gemm;

/*
 * Integers. Activations are scaled pixel by pixel, weights by output channel; a lane multiplies a
 * group of neighbouring channels. Sums are exact in 32 bits: the packer of the weights makes sure
 * that they cannot overflow. All else is float32, with the same operations in every set.
 *
 * words   16 bits, groups of 2: everywhere
 * bytes    8 bits, groups of 4, unsigned: where the CPU has an instruction for it
 *
 * A value that is not finite stays within the range of the integers: it becomes the integer of 0
 * (of the lowest value in quantize_hidden), and an infinity makes the pixel's scale infinite.
 */

/* out[r][j] = activation(bias[j] + residual[r][j] + a_scale[r] * scale[j] * sum), where sum is
 * start[j] + sum over i of a[r][i] w[i][j]. */
typedef struct scarlet__integer_gemm {
    const void *a;        /* rows of integers */
    size_t stride;        /* bytes from a row to the next */
    size_t groups;        /* of a row */
    const float *a_scale; /* [rows] */
    const void *weights;  /* [groups][vectors * VL][group] */
    const int32_t *start;
    const float *scale, *bias;
    const float *residual; /* as in scarlet__gemm */
    float *out;
    size_t out_stride, rows;
    int vectors; /* 1 .. SCARLET__GEMM_VECTORS */
    scarlet__activation activation;
    scarlet__prefetch *prefetch;
} scarlet__integer_gemm;

/* A depthwise part's output for some pixels, to be quantised. */
typedef struct scarlet__hidden {
    const scarlet__segment *segment; /* the values of a pixel, in turn; whole vectors each */
    size_t segments;
    const float *gate; /* 0 to 1, of each value; NULL: all are 1 */
    size_t pixels;
    float levels;
    float least;  /* minus the least value that there can be */
    void *q;      /* [pixel][sum of k] */
    float *scale; /* [pixel] */
} scarlet__hidden;

typedef struct scarlet__integer_kernels {
    size_t group;   /* 0: the set has no such kernels */
    int32_t offset; /* added to the integers of `quantize` */
    void (*gemm)(const scarlet__integer_gemm *);
    /* For each pixel: scale = max |x| / levels, q = round(x / scale) + offset. x and q
     * [pixel][channels]. */
    void (*quantize)(const float *x, size_t pixels, size_t channels, float levels, void *q,
                     float *scale);
    /* As quantize, for the output of an activation, which is never below -least, times the gates:
     * scale = (max x + least) / levels, q = round((x + least) / scale). */
    void (*quantize_hidden)(const scarlet__hidden *);
    /* As scarlet__kernels.peak, with `group` products a lane. */
    float (*peak)(size_t steps);
} scarlet__integer_kernels;

#define SCARLET__HSWISH6_LEAST 2.25f /* minus the minimum of 6 * h-swish */

/* Minus the least value of an activation that has one. With ReLU6 next to nothing instead of 0, so
 * that a pixel of zeros has a scale. */
static inline float scarlet__least(scarlet__activation activation)
{
    return activation == SCARLET__HSWISH6 ? SCARLET__HSWISH6_LEAST : 1e-20f;
}

/*
 * bfloat16, in blocks of bytes: activations inside a block are cut to 8 significant bits, so that
 * one instruction multiplies two of them. The packer multiplies the consuming layer's weights by
 * SCARLET__BF16_GAIN, which makes up for what cutting takes off on average. Pictures are rounded
 * instead, and the stem's weights stay as they are. Sums are float32, added in pairs; denormal
 * numbers count as 0. A row that a depthwise part reads consists of pairs: a lane of 32 bits holds
 * a channel of pixel 2i (low half) and of pixel 2i + 1. Rows of pairs and of single halves are both
 * passed as `float *`; cast before use.
 */

/* 1 + 2^-8 ln 2 = 1.0027 is right for numbers whose logarithms are spread evenly; here the smaller
 * ones of an octave are more frequent. Measured on networks: 1.0032 leaves the least error. */
#define SCARLET__BF16_GAIN 1.0032f

/* Pixels of padding that a row of pairs has on its left: those that are wanted, or one more. */
static inline size_t scarlet__bf16_left(size_t padding)
{
    return (padding + 1) / 2 * 2;
}
/* Pairs of a padded row of `side` pixels for `out_side` outputs, and what is read past its end. */
static inline size_t scarlet__bf16_row(size_t k, size_t stride, size_t side, size_t out_side)
{
    size_t step = stride == 1 ? 14 : 7, outs = (out_side + step - 1) / step * step;
    size_t shift = k / 2 % 2;
    size_t read = ((outs - 1) * stride + shift + k - 1) / 2 + 1;
    size_t held = (scarlet__bf16_left(k / 2) + side + k / 2 + 1) / 2;
    return read > held ? read : held;
}
/* 32-bit lanes of the depthwise weights of a vector of channels: two for each pair of a kernel row,
 * see scarlet__pack_bf16_depthwise. */
static inline size_t scarlet__bf16_depthwise_lanes(size_t k)
{
    return 2 * k * ((k + 1) / 2);
}
/* What to add to the address of the weights, in lanes, for a stride of 2 and a padding of
 * k / 2 - 1: windows begin at places of the other parity, whose weights are a kernel row's pairs
 * before or after. */
static inline ptrdiff_t scarlet__bf16_other_parity(size_t k)
{
    const ptrdiff_t pairs = (ptrdiff_t)((k + 1) / 2 * SCARLET__VECTOR_MAX);
    return k / 2 % 2 ? -pairs : pairs;
}

/* out[r][j] = bias[j] + sum over segments and i of a[r][i] w[i][j], in float32; or with `pairs` the
 * ReLU6 of that in pairs of rows, the first row a left one. */
typedef struct scarlet__bf16_gemm {
    const scarlet__segment *segment; /* of halves, an even number each; stride in halves */
    size_t segments;
    const float *weights; /* [sum of k / 2][vectors * VL], two weights a lane */
    const float *bias;
    float *out;
    size_t out_stride; /* lanes from a row, or pair of rows, to the next */
    size_t rows;
    int vectors; /* 1 .. SCARLET__GEMM_VECTORS */
    bool pairs;
} scarlet__bf16_gemm;

typedef struct scarlet__bf16_kernels {
    /* rows are padded rows of pairs; out are halves, [pixel][channels]: out_stride is channels */
    scarlet__depthwise_fn depthwise[3][2]; /* [k = 3, 5, 7][stride 1, 2] */
    /* Those of bytes, but a gemm with an activation and no residual whose `out` receives pairs of
     * rows as in scarlet__bf16_gemm, and a quantize_hidden of halves, where a NaN may make the
     * pixel's scale infinite. group 0: the set has no such kernels. */
    scarlet__integer_kernels expand, project;
    void (*gemm)(const scarlet__bf16_gemm *);
    /* out[i] = x[i], rounded to nearest */
    void (*narrow)(const float *x, size_t count, uint16_t *out);
    /* out[3 * i + c] = x[c * plane + i], rounded, for 3 planes of `count` values */
    void (*narrow_planes)(const float *x, size_t plane, size_t count, uint16_t *out);
} scarlet__bf16_kernels;

typedef struct scarlet__kernels {
    int isa;    /* SCARLET_ISA_* */
    int vector; /* floats, VL above */

    scarlet__depthwise_fn depthwise[3][2]; /* [k = 3, 5, 7][stride 1, 2] */
    /* out[p * out_stride + c] = activation(in[p * in_stride + c]) for whole vectors of channels */
    void (*activate)(const float *in, size_t in_stride, float *out, size_t out_stride,
                     size_t pixels, size_t channels, scarlet__activation activation);
    /* x[c] = max(x[c], 0) */
    void (*relu)(float *x, size_t channels);
    /* gate[c] = min(max(gate[c] + 3, 0), 6) / 6 */
    void (*hard_sigmoid)(float *gate, size_t channels);
    /* x[p * channels + c] *= gate[c] */
    void (*scale)(float *x, const float *gate, size_t pixels, size_t channels);
    /* out[r * width + j] = x[r * width + j] * gate[r] */
    void (*scale_rows)(const float *x, const float *gate, size_t rows, size_t width, float *out);
    /* x[i] += y[i] */
    void (*add)(float *x, const float *y, size_t count);
    /* out[c] = factor * sum over pixels of x[p * channels + c] */
    void (*mean)(const float *x, size_t pixels, size_t channels, float factor, float *out);

    /* Of the fused executor. */
    void (*gemm)(const scarlet__gemm *);
    /* y[j] = bias[j] + sum over i of x[i] w[i][j], w [k][vectors * VL], up to 6 vectors */
    void (*gemv)(const float *x, size_t k, const float *w, const float *bias, float *y,
                 int vectors);

    scarlet__integer_kernels words, bytes;
    scarlet__bf16_kernels bf16;
    /* y[j] = bias[j] + scale[j] * sum over i of x[i] w[i][j], as gemv with 8 or 16-bit weights */
    void (*gemv8)(const float *x, size_t k, const int8_t *w, const float *scale, const float *bias,
                  float *y, int vectors);
    void (*gemv16)(const float *x, size_t k, const int16_t *w, const float *scale,
                   const float *bias, float *y, int vectors);

    /* The best this set can do: `steps` times 12 independent vector multiply-adds in registers;
     * returns their sum. */
    float (*peak)(size_t steps);
} scarlet__kernels;

enum { SCARLET__PEAK_CHAINS = 12 };

/* For activations of 8 bits (narrow) or of more. */
static inline const scarlet__integer_kernels *scarlet__integers(const scarlet__kernels *k,
                                                                bool narrow)
{
    return narrow && k->bytes.group ? &k->bytes : &k->words;
}

/* The kernels of the newest set up to `isa` that this build has. */
const scarlet__kernels *scarlet__kernels_for(int isa);

#endif
