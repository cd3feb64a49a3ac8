/* Depthwise convolution: 7 outputs a step with the k weights of a kernel row in registers. */
#include <string.h>

#include "engine/kernels/activations.h"
#include "engine/kernels/instances.h"

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

INLINE void depthwise(int k, int s, scarlet__activation a, size_t channels,
                      const scarlet__depthwise *d)
{
    const float *const *rows = d->rows;
    const float *w = d->weights;
    float *out = d->out, *sum = d->sum;
    const size_t width = d->width, out_stride = d->out_stride;
    for (size_t c = 0; c < channels; c += VL, w += (size_t)(k * k) * VL) {
        vec b = load(d->bias + c), total = splat(0);
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
        if (x < width) { /* the rest of the tile reads padding, and its results are dropped */
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
DEPTHWISE_FUNCTIONS

void KERNEL(fill_depthwise)(scarlet__kernels *k)
{
    static const scarlet__depthwise_fn table[3][2] = DEPTHWISE_TABLE;
    memcpy(k->depthwise, table, sizeof table);
}
