/* How weights are packed, for packing.c and weights.c. */
#ifndef SCARLET_ENGINE_FUSED_PACKING_H
#define SCARLET_ENGINE_FUSED_PACKING_H

#include "engine/fused/weights.h"

/* Takes memory from a zeroed block in order; while there is no block it only counts. */
typedef struct scarlet__cursor {
    float *memory;
    size_t used; /* floats */
    float *row;  /* room for one output's weights, then for the integers of a vector of outputs */
    size_t row_room; /* values of an output, as many as have been asked for */
} scarlet__cursor;

/* Makes that room. Errors: MEMORY; free `row` in any case. */
scarlet_status scarlet__cursor_make_room(scarlet__cursor *c, scarlet_error *err);

/* NULL while counting. */
void *scarlet__cursor_take(scarlet__cursor *c, size_t bytes);
/* What scarlet__cursor_take would return next. */
static inline void *scarlet__cursor_place(const scarlet__cursor *c)
{
    return c->memory ? c->memory + c->used : NULL;
}

/* A dense layer's weight [out][in] to be packed. */
typedef struct scarlet__plain {
    const float *weight, *bias;
    size_t out, in;
    size_t k;    /* of the packed weight, at least `in`: the rest is zero */
    size_t most; /* vectors of a chunk */
    bool stem;   /* [out][3][3][3] is read as [out][ky][kx][channel] */
    float gain;  /* SCARLET__BF16_GAIN if its input is cut to bfloat16, else 1 */
    bool hidden; /* its input is a depthwise part's output */
    float least; /* scarlet__least of that */
} scarlet__plain;

/* As integers for gemm. */
void scarlet__pack_integers(scarlet__cursor *c, const scarlet__kernels *kernels, int precision,
                            const scarlet__plain *p, scarlet__packed_dense *d);
/* As integers for gemv8 (int8) or gemv16 (int16). */
void scarlet__pack_vector_integers(scarlet__cursor *c, const scarlet__kernels *kernels,
                                   int precision, const scarlet__plain *p,
                                   scarlet__packed_dense *d);

#endif
