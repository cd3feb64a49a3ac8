/* Depthwise convolution: 7 outputs a step with the k weights of a kernel row in registers. */
#include "engine/kernels/set.h"

enum { TILE = SCARLET__TILE };

INLINE void tile(int k, int s, const float *const *rows, size_t x, size_t c, size_t channels,
                 const float *w, vec *acc)
{
    for (int ky = 0; ky < k; ky++, w += (size_t)k * VL) {
        const float *p = rows[ky] + x * (size_t)s * channels + c;
#if SCARLET__VECTOR == 16
        /* 32 registers: keep the row's weights, load each input once. */
        vec wk[7];
        UNROLL for (int i = 0; i < k; i++) wk[i] = load(w + i * VL);
        UNROLL for (int j = 0; j < (TILE - 1) * s + k; j++)
        {
            vec in = load(p + (size_t)j * channels);
            UNROLL for (int i = 0; i < TILE; i++)
            {
                int tap = j - i * s;
                if (tap >= 0 && tap < k)
                    acc[i] = multiply_add(wk[tap], in, acc[i]);
            }
        }
#else
        UNROLL for (int i = 0; i < k; i++)
        {
            vec wk = load(w + i * VL);
            UNROLL for (int j = 0; j < TILE; j++) acc[j] =
                multiply_add(wk, load(p + (size_t)(j * s + i) * channels), acc[j]);
        }
#endif
    }
}

INLINE vec activate(vec x, scarlet__activation a)
{
    return a == SCARLET__HSWISH6 ? hswish6(x) : a == SCARLET__RELU6 ? relu6(x) : x;
}

INLINE void row(int k, int s, scarlet__activation a, const float *const *rows, size_t channels,
                const float *w, const float *bias, float *out, size_t out_stride, size_t width,
                float *sum)
{
    for (size_t c = 0; c < channels; c += VL, w += (size_t)(k * k) * VL) {
        vec b = load(bias + c), total = splat(0);
        size_t x = 0;
        for (; x + TILE <= width; x += TILE) {
            vec acc[TILE];
            UNROLL for (int i = 0; i < TILE; i++) acc[i] = b;
            tile(k, s, rows, x, c, channels, w, acc);
            UNROLL for (int i = 0; i < TILE; i++)
            {
                vec y = activate(acc[i], a);
                total += y;
                store(out + (x + (size_t)i) * out_stride + c, y);
            }
        }
        if (x < width) { /* the rest of the tile reads padding and is thrown away */
            vec acc[TILE];
            UNROLL for (int i = 0; i < TILE; i++) acc[i] = b;
            tile(k, s, rows, x, c, channels, w, acc);
            UNROLL for (int i = 0; i < TILE; i++)
            {
                vec y = activate(acc[i], a);
                if (x + (size_t)i < width) {
                    total += y;
                    store(out + (x + (size_t)i) * out_stride + c, y);
                }
            }
        }
        if (sum)
            store(sum + c, load(sum + c) + total);
    }
}

/* The chunk's width as a constant makes addresses cheap; the widest is by far the most common. */
#define DEPTHWISE(k, s)                                                                            \
    static void depthwise##k##s(const float *const *rows, size_t channels, const float *w,         \
                                const float *bias, float *out, size_t out_stride, size_t width,    \
                                scarlet__activation a, float *sum)                                 \
    {                                                                                              \
        if (a == SCARLET__HSWISH6 && channels == 3 * VL)                                           \
            row(k, s, SCARLET__HSWISH6, rows, 3 * VL, w, bias, out, out_stride, width, sum);       \
        else if (a == SCARLET__HSWISH6)                                                            \
            row(k, s, SCARLET__HSWISH6, rows, channels, w, bias, out, out_stride, width, sum);     \
        else                                                                                       \
            row(k, s, SCARLET__RELU6, rows, channels, w, bias, out, out_stride, width, sum);       \
    }
DEPTHWISE(3, 1)
DEPTHWISE(3, 2)
DEPTHWISE(5, 1)
DEPTHWISE(5, 2)
DEPTHWISE(7, 1)
DEPTHWISE(7, 2)

void KERNEL(fill_depthwise)(scarlet__kernels *k)
{
    k->depthwise[0][0] = depthwise31;
    k->depthwise[0][1] = depthwise32;
    k->depthwise[1][0] = depthwise51;
    k->depthwise[1][1] = depthwise52;
    k->depthwise[2][0] = depthwise71;
    k->depthwise[2][1] = depthwise72;
}
