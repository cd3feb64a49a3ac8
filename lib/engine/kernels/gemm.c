/*
 * Matrix products with everything that follows in the epilogue.
 *
 * A tile of ROWS pixels x 3 vectors of outputs stays in registers while the inputs are walked
 * once; 7 rows use the 32 registers of AVX-512 and divide every map of a 224 px network, 4 rows
 * use the 16 of AVX2. Every output is the same chain of fused multiply-adds, whatever the tile it
 * falls into: results do not depend on how rows are cut.
 */
#include "engine/kernels/set.h"

#if SCARLET__VECTOR == 16
enum { ROWS = 7 };
#else
enum { ROWS = 4 };
#endif
enum { COLUMNS = SCARLET__GEMM_VECTORS, PANEL = SCARLET__GEMV_VECTORS };

typedef enum { LINEAR, RELU6, HSWISH6, RESIDUAL } epilogue;

INLINE void tile(int rows, int columns, epilogue e, const scarlet__gemm *g, size_t row)
{
    vec acc[ROWS][COLUMNS];
    const float *w = g->weights;
    const char *ahead = g->prefetch->at;
    const size_t line = ahead < g->prefetch->end ? 64 : 0;
    const size_t ldo = g->out_stride;
    const float *residual = e == RESIDUAL ? g->residual + row * ldo : NULL;
    float *out = g->out + row * ldo;

    UNROLL for (int i = 0; i < rows; i++)
    {
        UNROLL for (int j = 0; j < columns; j++)
        {
            acc[i][j] = load(g->bias + j * VL);
            if (e == RESIDUAL)
                acc[i][j] += load(residual + (size_t)i * ldo + j * VL);
        }
    }
    for (size_t s = 0; s < g->segments; s++) {
        const size_t lda = g->segment[s].stride;
        const float *a = g->segment[s].a + row * lda;
        for (size_t k = g->segment[s].k; k > 0; k--, a++) {
            vec b[COLUMNS];
            UNROLL for (int j = 0; j < columns; j++) b[j] = load(w + j * VL);
            w += columns * VL;
            __builtin_prefetch(ahead, 0, 2);
            ahead += line;
            UNROLL for (int i = 0; i < rows; i++)
            {
                vec x = splat(a[(size_t)i * lda]);
                UNROLL for (int j = 0; j < columns; j++) acc[i][j] =
                    multiply_add(x, b[j], acc[i][j]);
            }
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
    {
        UNROLL for (int j = 0; j < columns; j++)
        {
            vec y = acc[i][j];
            store(out + (size_t)i * ldo + j * VL, e == HSWISH6 ? hswish6(y)
                                                  : e == RELU6 ? relu6(y)
                                                               : y);
        }
    }
    g->prefetch->at = ahead;
}

/* All rows with `columns` vectors: whole tiles, then the rest in smaller ones. */
INLINE void sweep(int columns, epilogue e, const scarlet__gemm *g)
{
    size_t row = 0;
    for (; row + ROWS <= g->rows; row += ROWS)
        tile(ROWS, columns, e, g, row);
    for (; row + ROWS / 2 <= g->rows; row += ROWS / 2)
        tile(ROWS / 2, columns, e, g, row);
    for (; row < g->rows; row++)
        tile(1, columns, e, g, row);
}

/* Not inlined: each is a loop of its own with its own registers. */
#define GEMM(name, e)                                                                              \
    static __attribute__((noinline)) void name##1(const scarlet__gemm *g)                          \
    {                                                                                              \
        sweep(1, e, g);                                                                            \
    }                                                                                              \
    static __attribute__((noinline)) void name##2(const scarlet__gemm *g)                          \
    {                                                                                              \
        sweep(2, e, g);                                                                            \
    }                                                                                              \
    static __attribute__((noinline)) void name##3(const scarlet__gemm *g)                          \
    {                                                                                              \
        sweep(3, e, g);                                                                            \
    }
GEMM(linear, LINEAR)
GEMM(clamped, RELU6)
GEMM(swished, HSWISH6)
GEMM(added, RESIDUAL)

static void gemm(const scarlet__gemm *g)
{
    static void (*const table[4][COLUMNS])(const scarlet__gemm *) = {
        {linear1, linear2, linear3},
        {clamped1, clamped2, clamped3},
        {swished1, swished2, swished3},
        {added1, added2, added3},
    };
    epilogue e = g->residual                         ? RESIDUAL
                 : g->activation == SCARLET__HSWISH6 ? HSWISH6
                 : g->activation == SCARLET__RELU6   ? RELU6
                                                     : LINEAR;
    table[e][g->vectors - 1](g);
}

/* ---- matrix times vector: one panel of up to 6 vectors of outputs ---- */

INLINE void panel(int columns, const float *x, size_t k, const float *w, const float *bias,
                  float *y)
{
    vec acc[PANEL];
    UNROLL for (int j = 0; j < columns; j++) acc[j] = load(bias + j * VL);
    for (size_t i = 0; i < k; i++, w += columns * VL) {
        vec a = splat(x[i]);
        UNROLL for (int j = 0; j < columns; j++) acc[j] = multiply_add(a, load(w + j * VL), acc[j]);
    }
    UNROLL for (int j = 0; j < columns; j++) store(y + j * VL, acc[j]);
}

static void gemv(const float *x, size_t k, const float *w, const float *bias, float *y, int vectors)
{
    switch (vectors) {
    case 1:
        panel(1, x, k, w, bias, y);
        break;
    case 2:
        panel(2, x, k, w, bias, y);
        break;
    case 3:
        panel(3, x, k, w, bias, y);
        break;
    case 4:
        panel(4, x, k, w, bias, y);
        break;
    case 5:
        panel(5, x, k, w, bias, y);
        break;
    default:
        panel(6, x, k, w, bias, y);
        break;
    }
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
