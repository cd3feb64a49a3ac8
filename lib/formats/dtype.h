/* Element types: names, sizes, conversion. */
#ifndef SCARLET_FORMATS_DTYPE_H
#define SCARLET_FORMATS_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum scarlet__dtype {
    SCARLET__F64,
    SCARLET__F32,
    SCARLET__F16,
    SCARLET__BF16,
    SCARLET__I64,
    SCARLET__I32,
    SCARLET__I16,
    SCARLET__I8,
    SCARLET__U8,
    SCARLET__BOOL
} scarlet__dtype;

/* "F32", ... as in safetensors. */
const char *scarlet__dtype_name(scarlet__dtype dtype);
/* The reverse; false if there is no type of this name. */
bool scarlet__dtype_named(const char *name, scarlet__dtype *dtype);
/* Bytes of an element. */
size_t scarlet__dtype_size(scarlet__dtype dtype);

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

/* float <-> IEEE half, rounded to nearest even. */
float scarlet__f16_to_f32(uint16_t half);
uint16_t scarlet__f32_to_f16(float value);

#endif
