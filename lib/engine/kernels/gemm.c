/*
 * Matrix products with everything that follows in the epilogue.
 *
 * Every output is the same chain of fused multiply-adds, whatever the tile it falls into: results
 * do not depend on how rows are cut.
 */
#include "engine/kernels/activations.h"
#include "engine/kernels/instances.h"

INLINE void tile(int rows, int columns, scarlet__activation a, bool added, const scarlet__gemm *g,
                 size_t row)
{
    vec acc[ROWS][COLUMNS];
    const float *w = g->weights;
    const char *ahead = g->prefetch->at;
    const size_t line = ahead < g->prefetch->end ? 64 : 0;
    const size_t ldo = g->out_stride;
    const float *residual = added ? g->residual + row * ldo : NULL;
    float *out = g->out + row * ldo;

    UNROLL for (int i = 0; i < rows; i++)
    {
        UNROLL for (int j = 0; j < columns; j++)
        {
            acc[i][j] = load(g->bias + j * VL);
            if (added)
                acc[i][j] += load(residual + (size_t)i * ldo + j * VL);
        }
    }
    for (size_t s = 0; s < g->segments; s++) {
        const size_t lda = g->segment[s].stride;
        const float *in = g->segment[s].a + row * lda;
        for (size_t k = g->segment[s].k; k > 0; k--, in++) {
            vec b[COLUMNS];
            UNROLL for (int j = 0; j < columns; j++) b[j] = load(w + j * VL);
            w += columns * VL;
            __builtin_prefetch(ahead, 0, 2);
            ahead += line;
            UNROLL for (int i = 0; i < rows; i++)
            {
                vec x = splat(in[(size_t)i * lda]);
                UNROLL for (int j = 0; j < columns; j++) acc[i][j] =
                    multiply_add(x, b[j], acc[i][j]);
            }
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
    {
        UNROLL for (int j = 0; j < columns; j++)
            store(out + (size_t)i * ldo + j * VL, activate(acc[i][j], a));
    }
    g->prefetch->at = ahead;
}

INLINE void sweep(int columns, scarlet__activation a, bool added,
                  const scarlet__gemm *g){SWEEP(g, tile(rows, columns, a, added, g, row))}

GEMMS(gemm, scarlet__gemm, sweep(columns, a, added, g))

    /* ---- matrix times vector: one panel of up to 6 vectors of outputs ---- */

    INLINE
    void panel(int columns, const float *x, size_t k, const float *w, const float *bias, float *y)
{
    vec acc[SCARLET__GEMV_VECTORS];
    UNROLL for (int j = 0; j < columns; j++) acc[j] = load(bias + j * VL);
    for (size_t i = 0; i < k; i++, w += columns * VL) {
        vec a = splat(x[i]);
        UNROLL for (int j = 0; j < columns; j++) acc[j] = multiply_add(a, load(w + j * VL), acc[j]);
    }
    UNROLL for (int j = 0; j < columns; j++) store(y + j * VL, acc[j]);
}

static void gemv(const float *x, size_t k, const float *w, const float *bias, float *y, int vectors)
{
    PANEL(vectors, panel(columns, x, k, w, bias, y))
}

static float peak(size_t steps)
{
    enum { CHAINS = SCARLET__PEAK_CHAINS };
    vec acc[CHAINS], total = splat(0), a = splat(0.999f), b = splat(0.001f);
    UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = splat((float)i);
    for (; steps > 0; steps--) {
        UNROLL for (int i = 0; i < CHAINS; i++) acc[i] = multiply_add(acc[i], a, b);
    }
    UNROLL for (int i = 0; i < CHAINS; i++) total += acc[i];
    return total[0];
}

void KERNEL(fill_gemm)(scarlet__kernels *k)
{
    k->gemm = gemm;
    k->gemv = gemv;
    k->peak = peak;
}
