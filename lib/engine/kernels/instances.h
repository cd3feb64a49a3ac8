/*
 * What kernels are compiled for: one function for each combination of what has to be a constant
 * inside its loops, and the tables of them.
 *
 * A macro's last argument is the call of an always-inlined function; it sees its constants under
 * the names given here.
 */
#ifndef SCARLET_ENGINE_KERNELS_INSTANCES_H
#define SCARLET_ENGINE_KERNELS_INSTANCES_H

#include "engine/kernels/set.h"

/* A tile of a matrix product: ROWS pixels x COLUMNS vectors of outputs stay in registers while the
 * inputs are walked once. 7 rows use the 32 registers of AVX-512 and divide every map of a 224 px
 * network, 4 rows use the 16 of AVX2. */
enum { ROWS = SCARLET__VECTOR == 16 ? 7 : 4, COLUMNS = SCARLET__GEMM_VECTORS };
_Static_assert(SCARLET__GEMM_VECTORS == 3, "GEMM makes three functions");

/* Walks the rows of g: whole tiles, then the rest in smaller ones. `tile` sees `rows`, a constant,
 * and `row`, the number of its first. */
#define SWEEP(g, tile)                                                                             \
    size_t row = 0;                                                                                \
    for (; row + ROWS <= (g)->rows; row += ROWS) {                                                 \
        enum { rows = ROWS };                                                                      \
        tile;                                                                                      \
    }                                                                                              \
    for (; row + ROWS / 2 <= (g)->rows; row += ROWS / 2) {                                         \
        enum { rows = ROWS / 2 };                                                                  \
        tile;                                                                                      \
    }                                                                                              \
    for (; row < (g)->rows; row++) {                                                               \
        enum { rows = 1 };                                                                         \
        tile;                                                                                      \
    }

/* The functions name1, name2 and name3 of a product, each for so many vectors of outputs; `sweep`
 * sees `columns` and the request `g`. Not inlined: each is a loop of its own with its own
 * registers. */
#define GEMM(name, request, sweep)                                                                 \
    GEMM_OF(name, 1, request, sweep)                                                               \
    GEMM_OF(name, 2, request, sweep)                                                               \
    GEMM_OF(name, 3, request, sweep)
#define GEMM_OF(name, vectors, request, sweep)                                                     \
    static __attribute__((noinline)) void name##vectors(const request *g)                          \
    {                                                                                              \
        enum { columns = vectors };                                                                \
        sweep;                                                                                     \
    }
/* Their row of a table, whose index is vectors - 1. */
#define GEMM_ROW(name)                                                                             \
    {                                                                                              \
        name##1, name##2, name##3                                                                  \
    }

/* The function `name` of a product that is followed by an activation or by the addition of a
 * residual; `sweep` sees `a` and `added` too. */
#define GEMMS(name, request, sweep)                                                                \
    GEMM(name##_linear, request, WITH(SCARLET__LINEAR, false, sweep))                              \
    GEMM(name##_relu6, request, WITH(SCARLET__RELU6, false, sweep))                                \
    GEMM(name##_hswish6, request, WITH(SCARLET__HSWISH6, false, sweep))                            \
    GEMM(name##_added, request, WITH(SCARLET__LINEAR, true, sweep))                                \
    static void name(const request *g)                                                             \
    {                                                                                              \
        typedef void (*function)(const request *);                                                 \
        static const function table[][COLUMNS] = {                                                 \
            [SCARLET__LINEAR] = GEMM_ROW(name##_linear),                                           \
            [SCARLET__RELU6] = GEMM_ROW(name##_relu6),                                             \
            [SCARLET__HSWISH6] = GEMM_ROW(name##_hswish6),                                         \
        };                                                                                         \
        static const function residual[COLUMNS] = GEMM_ROW(name##_added);                          \
        (g->residual ? residual : table[g->activation])[g->vectors - 1](g);                        \
    }
#define WITH(activation, residual, sweep)                                                          \
    const scarlet__activation a = activation;                                                      \
    const bool added = residual;                                                                   \
    sweep

/* Calls `panel`, a matrix times a vector, with `columns` = 1 .. 6 vectors of outputs. */
#define PANEL(vectors, panel)                                                                      \
    switch (vectors) {                                                                             \
        PANEL_OF(case 1, 1, panel)                                                                 \
        PANEL_OF(case 2, 2, panel)                                                                 \
        PANEL_OF(case 3, 3, panel)                                                                 \
        PANEL_OF(case 4, 4, panel)                                                                 \
        PANEL_OF(case 5, 5, panel)                                                                 \
        PANEL_OF(default, 6, panel)                                                                \
    }
#define PANEL_OF(label, vectors, panel)                                                            \
    label : {                                                                                      \
        enum { columns = vectors };                                                                \
        panel;                                                                                     \
        break;                                                                                     \
    }
_Static_assert(SCARLET__GEMV_VECTORS == 6, "PANEL has six cases");

/* The functions of a depthwise table, for each side of kernel and stride, from
 *
 *     INLINE void depthwise(int k, int s, scarlet__activation a, size_t channels,
 *                           const scarlet__depthwise *d)
 *
 * The chunk's width as a constant makes addresses cheap; the widest is by far the most common. */
#define DEPTHWISE(k, s)                                                                            \
    static void depthwise##k##s(const scarlet__depthwise *d)                                       \
    {                                                                                              \
        if (d->activation == SCARLET__HSWISH6 && d->channels == 3 * VL)                            \
            depthwise(k, s, SCARLET__HSWISH6, 3 * VL, d);                                          \
        else if (d->activation == SCARLET__HSWISH6)                                                \
            depthwise(k, s, SCARLET__HSWISH6, d->channels, d);                                     \
        else                                                                                       \
            depthwise(k, s, SCARLET__RELU6, d->channels, d);                                       \
    }
#define DEPTHWISE_FUNCTIONS                                                                        \
    DEPTHWISE(3, 1)                                                                                \
    DEPTHWISE(3, 2)                                                                                \
    DEPTHWISE(5, 1)                                                                                \
    DEPTHWISE(5, 2)                                                                                \
    DEPTHWISE(7, 1)                                                                                \
    DEPTHWISE(7, 2)
/* [k = 3, 5, 7][stride 1, 2] */
#define DEPTHWISE_TABLE                                                                            \
    {                                                                                              \
        {depthwise31, depthwise32}, {depthwise51, depthwise52},                                    \
        {                                                                                          \
            depthwise71, depthwise72                                                               \
        }                                                                                          \
    }

#endif
