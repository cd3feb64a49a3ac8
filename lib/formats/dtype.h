/* Element types: names, sizes, conversion. */
#ifndef SCARLET_FORMATS_DTYPE_H
#define SCARLET_FORMATS_DTYPE_H

#include "formats/tensors.h"

/* False if no type is called so in safetensors. */
bool scarlet__dtype_named(const char *name, scarlet__dtype *dtype);

/* Elements as a file has them, at most this many bytes at a time. */
enum { SCARLET__PIECE = 16384 };
typedef union scarlet__piece {
    uint8_t u8[SCARLET__PIECE];
    int8_t i8[SCARLET__PIECE];
    uint16_t u16[SCARLET__PIECE / 2];
    int16_t i16[SCARLET__PIECE / 2];
    int32_t i32[SCARLET__PIECE / 4];
    int64_t i64[SCARLET__PIECE / 8];
    float f32[SCARLET__PIECE / 4];
    double f64[SCARLET__PIECE / 8];
} scarlet__piece;

void scarlet__dtype_to_f32(scarlet__dtype dtype, const scarlet__piece *piece, size_t count,
                           float *out);
void scarlet__dtype_to_f64(scarlet__dtype dtype, const scarlet__piece *piece, size_t count,
                           double *out);

#endif
