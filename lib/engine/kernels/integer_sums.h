/* The sums of integer products, which every epilogue begins with. */
#ifndef SCARLET_ENGINE_KERNELS_INTEGER_SUMS_H
#define SCARLET_ENGINE_KERNELS_INTEGER_SUMS_H

#include "engine/kernels/instances.h"
#include "engine/kernels/integers.h"

/* Values of a group, which names the type: 2 words or 4 bytes. */
enum { WORDS = 2, BYTES = 4 };

INLINE ivec dot(int group, ivec acc, ivec x, ivec w)
{
#ifdef SCARLET__BYTES
    if (group == BYTES)
        return dot_bytes(acc, x, w);
#endif
    (void)group;
    return dot_words(acc, x, w);
}

/* acc[i][j] = sum of row `row` + i and vector j of outputs. */
INLINE void integer_sums(int group, int rows, int columns, const scarlet__integer_gemm *g,
                         size_t row, ivec acc[][COLUMNS])
{
    const char *w = g->weights, *a = (const char *)g->a + row * g->stride;
    const char *ahead = g->prefetch->at;
    const size_t line = ahead < g->prefetch->end ? 64 : 0, lda = g->stride;

    UNROLL for (int j = 0; j < columns; j++)
    {
        ivec start = load_integers(g->start + j * VL);
        UNROLL for (int i = 0; i < rows; i++) acc[i][j] = start;
    }
    for (size_t k = g->groups; k > 0; k--, a += 4) {
        ivec b[COLUMNS];
        UNROLL for (int j = 0; j < columns; j++) b[j] = load_integers(w + j * VL * 4);
        w += columns * VL * 4;
        __builtin_prefetch(ahead, 0, 2);
        ahead += line;
        UNROLL for (int i = 0; i < rows; i++)
        {
            ivec x = splat_integer(a + (size_t)i * lda);
            UNROLL for (int j = 0; j < columns; j++) acc[i][j] = dot(group, acc[i][j], x, b[j]);
        }
    }
    g->prefetch->at = ahead;
}

#endif
