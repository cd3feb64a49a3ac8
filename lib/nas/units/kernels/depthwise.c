/*
 * Depthwise convolutions of one plane of one picture: a tile of neighbouring outputs stays in
 * registers while the kernel is walked. The width of the tile is the one of 8, 7 and 4 that wastes
 * least; what it computes past the row's end is thrown away.
 */
#include "nas/units/kernels/set.h"

enum { TILE_MAX = 16 };

/* acc[t * width + i] += sum of in[t * s + y][i * s + x] * w[y * w_row + x * w_column] over rows y
 * and columns x, for `tall` rows of outputs t. */
INLINE void tile(int width, int tall, int rows, int columns, int s, const float *in, size_t in_row,
                 const float *w, ptrdiff_t w_row, ptrdiff_t w_column, vec *acc)
{
    for (int y = 0; y < rows; y++, in += in_row, w += w_row) {
#if SCARLET__VECTOR == 16
        /* 32 registers: keep the row's weights, load each input once. */
        vec wk[7];
        UNROLL for (int x = 0; x < columns; x++) wk[x] = load(w + x * w_column);
        UNROLL for (int j = 0; j < (width - 1) * s + columns; j++)
        {
            UNROLL for (int t = 0; t < tall; t++)
            {
                vec value = load(in + (size_t)(t * s) * in_row + j * LANES);
                UNROLL for (int i = 0; i < width; i++)
                {
                    int x = j - i * s;
                    if (x >= 0 && x < columns)
                        acc[t * width + i] = multiply_add(wk[x], value, acc[t * width + i]);
                }
            }
        }
#else
        UNROLL for (int x = 0; x < columns; x++)
        {
            vec wk = load(w + x * w_column);
            UNROLL for (int t = 0; t < tall; t++)
            {
                UNROLL for (int i = 0; i < width; i++) acc[t * width + i] =
                    multiply_add(wk, load(in + (size_t)(t * s) * in_row + (i * s + x) * LANES),
                                 acc[t * width + i]);
            }
        }
#endif
    }
}

/* The tile's width for rows of `width`. */
INLINE int suited(size_t width)
{
    size_t eight = (width + 7) / 8 * 8, seven = (width + 6) / 7 * 7, four = (width + 3) / 4 * 4;
    return eight <= seven && eight <= four ? 8 : seven <= four ? 7 : 4;
}

/* Rows y .. y + tall - 1 of outputs, one vector of channels at v. */
INLINE void filter_rows(int wide, int tall, int k, int s, const scarlet__filter *f, int v, size_t y,
                        vec *sum, vec *square)
{
    const float *in = f->in + y * (size_t)s * f->in_row + v;
    float *out = f->out + y * f->width * LANES + v;
    for (size_t x = 0; x < f->width; x += (size_t)wide) {
        vec acc[TILE_MAX];
        UNROLL for (int i = 0; i < wide * tall; i++) acc[i] = splat(0);
        tile(wide, tall, k, k, s, in + x * (size_t)(s * LANES), f->in_row, f->weights + v,
             k * LANES, LANES, acc);
        UNROLL for (int i = 0; i < wide * tall; i++)
        {
            const size_t column = x + (size_t)(i % wide);
            if (column < f->width) {
                store(out + ((size_t)(i / wide) * f->width + column) * LANES, acc[i]);
                *sum += acc[i];
                *square = multiply_add(acc[i], acc[i], *square);
            }
        }
    }
}

/* Two rows at a time where registers allow it: they share weights, and the additions of only four
 * outputs would wait for each other. */
INLINE void filter(int wide, int k, int s, const scarlet__filter *f)
{
    const int tall = wide == 4 || VL == 16 ? 2 : 1;
    for (int v = 0; v < LANES; v += VL) {
        vec sum = splat(0), square = splat(0);
        size_t y = 0;
        for (; y + (size_t)tall <= f->height; y += (size_t)tall)
            filter_rows(wide, tall, k, s, f, v, y, &sum, &square);
        if (y < f->height)
            filter_rows(wide, 1, k, s, f, v, y, &sum, &square);
        if (f->sums) {
            store(f->sums + v, load(f->sums + v) + sum);
            store(f->sums + LANES + v, load(f->sums + LANES + v) + square);
        }
    }
}

#define FILTER(k, s)                                                                               \
    static void filter##k##s(const scarlet__filter *f)                                             \
    {                                                                                              \
        switch (suited(f->width)) {                                                                \
        case 8:                                                                                    \
            filter(8, k, s, f);                                                                    \
            break;                                                                                 \
        case 7:                                                                                    \
            filter(7, k, s, f);                                                                    \
            break;                                                                                 \
        default:                                                                                   \
            filter(4, k, s, f);                                                                    \
            break;                                                                                 \
        }                                                                                          \
    }
FILTER(3, 1)
FILTER(3, 2)
FILTER(5, 1)
FILTER(5, 2)
FILTER(7, 1)
FILTER(7, 2)

/* Inputs of rows of parity py and columns of parity px meet every other weight of the kernel, the
 * last one first: one at row ky goes to output row (y + k / 2 - ky) / 2. With one pixel of padding
 * less, inputs are where their neighbours before them would be, those of parities 1 - py, 1 - px.
 */
INLINE void spread_parity(int wide, int k, int py, int px, const scarlet__filter *f)
{
    const int pad = k / 2, first_y = (py + pad) % 2, first_x = (px + pad) % 2;
    const int rows = (k - first_y + 1) / 2, columns = (k - first_x + 1) / 2;
    const int last_y = first_y + 2 * (rows - 1), last_x = first_x + 2 * (columns - 1);
    /* The first input: one before the picture if its parity is 1 and it moves to 0. */
    const int y_0 = f->less ? 1 - py : py, x_0 = f->less ? 1 - px : px;
    const int before_y = y_0 < py, before_x = x_0 < px;
    const size_t up = (size_t)(pad + (py + pad - last_y) / 2 - before_y);
    const size_t left = (size_t)(pad + (px + pad - last_x) / 2 - before_x);
    const float *w = f->weights + (last_y * k + last_x) * LANES;
    const size_t width = (f->width - (size_t)x_0 + 1) / 2;
    for (int v = 0; v < LANES; v += VL) {
        for (size_t y = (size_t)y_0; y < f->height; y += 2) {
            const float *in = f->in + (y / 2 + up) * f->in_row + left * LANES + v;
            float *out = f->out + (y * f->width + (size_t)x_0) * LANES + v;
            for (size_t x = 0; x < width; x += (size_t)wide) {
                vec acc[TILE_MAX];
                UNROLL for (int i = 0; i < wide; i++) acc[i] = splat(0);
                tile(wide, 1, rows, columns, 1, in + x * LANES, f->in_row, w + v, -2 * k * LANES,
                     -2 * LANES, acc);
                UNROLL for (int i = 0; i < wide; i++)
                {
                    if (x + (size_t)i < width)
                        store(out + (x + (size_t)i) * 2 * LANES, acc[i]);
                }
            }
        }
    }
}

INLINE void spread(int wide, int k, const scarlet__filter *f)
{
    spread_parity(wide, k, 0, 0, f);
    spread_parity(wide, k, 0, 1, f);
    spread_parity(wide, k, 1, 0, f);
    spread_parity(wide, k, 1, 1, f);
}

#define SPREAD(k)                                                                                  \
    static void spread##k(const scarlet__filter *f)                                                \
    {                                                                                              \
        switch (suited((f->width + 1) / 2)) {                                                      \
        case 8:                                                                                    \
            spread(8, k, f);                                                                       \
            break;                                                                                 \
        case 7:                                                                                    \
            spread(7, k, f);                                                                       \
            break;                                                                                 \
        default:                                                                                   \
            spread(4, k, f);                                                                       \
            break;                                                                                 \
        }                                                                                          \
    }
SPREAD(3)
SPREAD(5)
SPREAD(7)

/* `rows` rows of the kernel from row `first` on stay in registers over the whole picture. */
INLINE void taps(int first, int rows, int k, int s, const scarlet__filter_outer *f)
{
    for (int v = 0; v < LANES; v += VL) {
        vec acc[7][7];
        float *w = f->weights + first * k * LANES + v;
        UNROLL for (int r = 0; r < rows; r++)
        {
            UNROLL for (int x = 0; x < k; x++) acc[r][x] = load(w + (r * k + x) * LANES);
        }
        for (size_t y = 0; y < f->height; y++) {
            const float *g = f->gradient + y * f->gradient_row + v;
            const float *in = f->in + (y * (size_t)s + (size_t)first) * f->in_row + v;
            for (size_t n = f->width; n > 0; n--, g += LANES, in += s * LANES) {
                vec value = load(g);
                UNROLL for (int r = 0; r < rows; r++)
                {
                    UNROLL for (int x = 0; x < k; x++) acc[r][x] = multiply_add(
                        value, load(in + (size_t)r * f->in_row + x * LANES), acc[r][x]);
                }
            }
        }
        UNROLL for (int r = 0; r < rows; r++)
        {
            UNROLL for (int x = 0; x < k; x++) store(w + (r * k + x) * LANES, acc[r][x]);
        }
    }
}

INLINE void filter_outer(int k, int s, const scarlet__filter_outer *f)
{
#if SCARLET__VECTOR == 16
    const int step = k == 7 ? 4 : k;
#else
    const int step = k == 7 ? 1 : k == 5 ? 2 : 3;
#endif
    UNROLL for (int first = 0; first < k; first += step)
        taps(first, first + step <= k ? step : k - first, k, s, f);
}

#define FILTER_OUTER(k, s)                                                                         \
    static void filter_outer##k##s(const scarlet__filter_outer *f)                                 \
    {                                                                                              \
        filter_outer(k, s, f);                                                                     \
    }
FILTER_OUTER(3, 1)
FILTER_OUTER(3, 2)
FILTER_OUTER(5, 1)
FILTER_OUTER(5, 2)
FILTER_OUTER(7, 1)
FILTER_OUTER(7, 2)

void KERNEL(fill_training_depthwise)(scarlet__training_kernels *t)
{
    t->filter[0][0] = filter31;
    t->filter[0][1] = filter32;
    t->filter[1][0] = filter51;
    t->filter[1][1] = filter52;
    t->filter[2][0] = filter71;
    t->filter[2][1] = filter72;
    t->spread[0] = spread3;
    t->spread[1] = spread5;
    t->spread[2] = spread7;
    t->filter_outer[0][0] = filter_outer31;
    t->filter_outer[0][1] = filter_outer32;
    t->filter_outer[1][0] = filter_outer51;
    t->filter_outer[1][1] = filter_outer52;
    t->filter_outer[2][0] = filter_outer71;
    t->filter_outer[2][1] = filter_outer72;
}
