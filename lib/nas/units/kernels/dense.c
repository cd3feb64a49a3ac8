/*
 * Matrix products of 1x1 convolutions.
 *
 * A tile of pixels x planes of outputs stays in registers while the input channels are walked once:
 * up to 3 planes with the 32 registers of AVX-512, one plane elsewhere. Every output is the same
 * chain of fused multiply-adds, whatever the tile it falls into.
 */
#include "nas/units/kernels/set.h"

#if SCARLET__VECTOR == 16
enum { WIDEST = 3, ROWS_1 = 16, ROWS_2 = 12, ROWS_3 = 8, CORNER_1 = 16, CORNER = 8 };
#elif SCARLET__VECTOR == 8
enum { WIDEST = 1, ROWS_1 = 6, CORNER_1 = 4 };
#else
enum { WIDEST = 1, ROWS_1 = 3, CORNER_1 = 2 };
#endif
enum { ROWS_MAX = 16, COLUMNS_MAX = WIDEST * PER };

INLINE void tile(int rows, int planes, const scarlet__product *m, size_t pixel)
{
    const int columns = planes * PER;
    vec acc[ROWS_MAX][COLUMNS_MAX];
    float *out = m->out + pixel * LANES;
    UNROLL for (int r = 0; r < rows; r++)
    {
        UNROLL for (int j = 0; j < columns; j++) acc[r][j] = splat(0);
    }
    if (m->add) {
        UNROLL for (int r = 0; r < rows; r++)
        {
            UNROLL for (int j = 0; j < columns; j++) acc[r][j] =
                load(out + (size_t)(j / PER) * m->out_plane + r * LANES + j % PER * VL);
        }
    }
    const float *in = m->in + pixel * LANES, *w = m->weights;
    for (int left = m->channels; left > 0; left -= LANES, in += m->in_plane) {
        const float *a = in;
        for (int n = left < LANES ? left : LANES; n > 0; n--, a++, w += LANES) {
            vec b[COLUMNS_MAX];
            UNROLL for (int j = 0; j < columns; j++) b[j] =
                load(w + (size_t)(j / PER) * m->weights_plane + j % PER * VL);
            UNROLL for (int r = 0; r < rows; r++)
            {
                vec x = splat(a[r * LANES]);
                UNROLL for (int j = 0; j < columns; j++) acc[r][j] =
                    multiply_add(x, b[j], acc[r][j]);
            }
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
    {
        UNROLL for (int j = 0; j < columns; j++)
            store(out + (size_t)(j / PER) * m->out_plane + r * LANES + j % PER * VL, acc[r][j]);
    }
    if (m->sums) {
        UNROLL for (int j = 0; j < columns; j++)
        {
            float *sums = m->sums + (size_t)(j / PER) * 2 * LANES + j % PER * VL;
            /* In several chains: an addition waits for the one before it. */
            enum { CHAINS = 4 };
            vec sum[CHAINS] = {load(sums)}, square[CHAINS] = {load(sums + LANES)};
            UNROLL for (int r = 0; r < rows; r++)
            {
                sum[r % CHAINS] += acc[r][j];
                square[r % CHAINS] = multiply_add(acc[r][j], acc[r][j], square[r % CHAINS]);
            }
            store(sums, (sum[0] + sum[1]) + (sum[2] + sum[3]));
            store(sums + LANES, (square[0] + square[1]) + (square[2] + square[3]));
        }
    }
}

INLINE void sweep(int rows, int planes, const scarlet__product *m)
{
    size_t pixel = 0;
    for (; pixel + (size_t)rows <= m->pixels; pixel += (size_t)rows)
        tile(rows, planes, m, pixel);
    if (rows > 4)
        for (; pixel + 4 <= m->pixels; pixel += 4)
            tile(4, planes, m, pixel);
    for (; pixel < m->pixels; pixel++)
        tile(1, planes, m, pixel);
}

/* Not inlined: each is a loop of its own with its own registers. */
static __attribute__((noinline)) void product1(const scarlet__product *m)
{
    sweep(ROWS_1, 1, m);
}
#if SCARLET__VECTOR == 16
static __attribute__((noinline)) void product2(const scarlet__product *m)
{
    sweep(ROWS_2, 2, m);
}
static __attribute__((noinline)) void product3(const scarlet__product *m)
{
    sweep(ROWS_3, 3, m);
}
#endif

static void product(const scarlet__product *whole)
{
#if SCARLET__VECTOR == 16
    static void (*const part[])(const scarlet__product *) = {product1, product2, product3};
#else
    static void (*const part[])(const scarlet__product *) = {product1};
#endif
    scarlet__product m = *whole;
    for (int left = whole->outs; left > 0; left -= WIDEST) {
        int planes = left < WIDEST ? left : WIDEST;
        part[planes - 1](&m);
        m.weights += WIDEST * m.weights_plane;
        m.out += WIDEST * m.out_plane;
        if (m.sums)
            m.sums += (size_t)WIDEST * 2 * LANES;
    }
}

/* `rows` input channels from channel `first` of a plane on, times `planes` planes of gradients. */
INLINE void corner(int rows, int planes, const scarlet__outer *m, const float *in, float *w)
{
    const int columns = planes * PER;
    vec acc[ROWS_MAX][COLUMNS_MAX];
    UNROLL for (int r = 0; r < rows; r++)
    {
        UNROLL for (int j = 0; j < columns; j++) acc[r][j] =
            load(w + (size_t)(j / PER) * m->weights_plane + r * LANES + j % PER * VL);
    }
    const float *g = m->gradient;
    for (size_t p = m->pixels; p > 0; p--, in += LANES, g += LANES) {
        vec b[COLUMNS_MAX];
        UNROLL for (int j = 0; j < columns; j++) b[j] =
            load(g + (size_t)(j / PER) * m->gradient_plane + j % PER * VL);
        UNROLL for (int r = 0; r < rows; r++)
        {
            vec x = splat(in[r]);
            UNROLL for (int j = 0; j < columns; j++) acc[r][j] = multiply_add(x, b[j], acc[r][j]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
    {
        UNROLL for (int j = 0; j < columns; j++)
            store(w + (size_t)(j / PER) * m->weights_plane + r * LANES + j % PER * VL, acc[r][j]);
    }
}

INLINE void walk(int rows, int planes, const scarlet__outer *m)
{
    for (int i = 0; i < m->channels; i += rows)
        corner(rows, planes, m, m->in + (size_t)(i / LANES) * m->in_plane + i % LANES,
               m->weights + (size_t)i * LANES);
}

static __attribute__((noinline)) void outer1(const scarlet__outer *m)
{
    walk(CORNER_1, 1, m);
}
#if SCARLET__VECTOR == 16
static __attribute__((noinline)) void outer2(const scarlet__outer *m)
{
    walk(CORNER, 2, m);
}
static __attribute__((noinline)) void outer3(const scarlet__outer *m)
{
    walk(CORNER, 3, m);
}
#endif

static void outer(const scarlet__outer *whole)
{
#if SCARLET__VECTOR == 16
    static void (*const part[])(const scarlet__outer *) = {outer1, outer2, outer3};
#else
    static void (*const part[])(const scarlet__outer *) = {outer1};
#endif
    scarlet__outer m = *whole;
    for (int left = whole->outs; left > 0; left -= WIDEST) {
        int planes = left < WIDEST ? left : WIDEST;
        part[planes - 1](&m);
        m.weights += WIDEST * m.weights_plane;
        m.gradient += WIDEST * m.gradient_plane;
    }
}

/* Four rows of four become columns. */
INLINE void turn(const float *in, float *out)
{
    typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
    four row[4], low[2], high[2];
    UNROLL for (int i = 0; i < 4; i++) row[i] = *(const four *)(in + i * LANES);
    UNROLL for (int i = 0; i < 2; i++)
    {
        low[i] = __builtin_shufflevector(row[2 * i], row[2 * i + 1], 0, 4, 1, 5);
        high[i] = __builtin_shufflevector(row[2 * i], row[2 * i + 1], 2, 6, 3, 7);
    }
    *(four *)out = __builtin_shufflevector(low[0], low[1], 0, 1, 4, 5);
    *(four *)(out + LANES) = __builtin_shufflevector(low[0], low[1], 2, 3, 6, 7);
    *(four *)(out + 2 * LANES) = __builtin_shufflevector(high[0], high[1], 0, 1, 4, 5);
    *(four *)(out + 3 * LANES) = __builtin_shufflevector(high[0], high[1], 2, 3, 6, 7);
}

static void transpose(const float *in, float *out)
{
    for (int i = 0; i < LANES; i += 4)
        for (int j = 0; j < LANES; j += 4)
            turn(in + i * LANES + j, out + j * LANES + i);
}

void KERNEL(fill_training_dense)(scarlet__training_kernels *k)
{
    k->product = product;
    k->outer = outer;
    k->transpose = transpose;
}
