#include "formats/dtype.h"

#include <string.h>

static const struct {
    char name[8];
    size_t size;
} types[] = {
    [SCARLET__F64] = {"F64", 8},   [SCARLET__F32] = {"F32", 4}, [SCARLET__F16] = {"F16", 2},
    [SCARLET__BF16] = {"BF16", 2}, [SCARLET__I64] = {"I64", 8}, [SCARLET__I32] = {"I32", 4},
    [SCARLET__I16] = {"I16", 2},   [SCARLET__I8] = {"I8", 1},   [SCARLET__U8] = {"U8", 1},
    [SCARLET__BOOL] = {"BOOL", 1},
};

const char *scarlet__dtype_name(scarlet__dtype dtype)
{
    return types[dtype].name;
}

size_t scarlet__dtype_size(scarlet__dtype dtype)
{
    return types[dtype].size;
}

bool scarlet__dtype_named(const char *name, scarlet__dtype *dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(name, types[i].name) == 0) {
            *dtype = (scarlet__dtype)i;
            return true;
        }
    }
    return false;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Both ways are computed and a mask chooses, so that loops vectorise. No operand or result is a
 * denormal float: the host may have told the CPU to flush those. */
float scarlet__f16_to_f32(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7FFF, small;
    float multiple = (float)(int32_t)magnitude * 0x1p-24f; /* a denormal half's value */
    memcpy(&small, &multiple, sizeof small);
    /* The exponent's bias moves by 112; of infinity and NaN, twice. */
    uint32_t normal = (magnitude << 13) + (1u + (magnitude >= 0x7C00)) * (112u << 23);
    uint32_t denormal = magnitude < 0x0400 ? UINT32_MAX : 0;
    return from_bits(sign | (small & denormal) | (normal & ~denormal));
}

uint16_t scarlet__f32_to_f16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) /* NaN, quiet */
        return (uint16_t)(sign | 0x7E00);
    if (magnitude >= 0x477FF000) /* 65520 and more round to infinity */
        return (uint16_t)(sign | 0x7C00);
    uint32_t half, rest, tie;
    if (magnitude >= 0x38800000) { /* 2^-14: normal as a half */
        half = (magnitude - ((127u - 15) << 23)) >> 13;
        rest = magnitude & 0x1FFF;
        tie = 0x1000;
    } else if (magnitude >= 0x33000000) { /* 2^-25: in units of 2^-24 */
        uint32_t shift = 126 - (magnitude >> 23), mantissa = (magnitude & 0x7FFFFF) | 0x800000;
        half = mantissa >> shift;
        rest = mantissa & ((1u << shift) - 1);
        tie = 1u << (shift - 1);
    } else {
        return (uint16_t)sign;
    }
    half += rest > tie || (rest == tie && (half & 1)); /* a carry reaches the exponent rightly */
    return (uint16_t)(sign | half);
}

static float from_bf16(uint16_t bits)
{
    return from_bits((uint32_t)bits << 16);
}

#define LOOP(expression)                                                                           \
    for (size_t i = 0; i < count; i++)                                                             \
        out[i] = (expression);                                                                     \
    break

#define CONVERT(function, type)                                                                    \
    void function(scarlet__dtype dtype, const scarlet__piece *in, size_t count, type *out)         \
    {                                                                                              \
        switch (dtype) {                                                                           \
        case SCARLET__F64:                                                                         \
            LOOP((type)in->f64[i]);                                                                \
        case SCARLET__F32:                                                                         \
            LOOP(in->f32[i]);                                                                      \
        case SCARLET__F16:                                                                         \
            LOOP(scarlet__f16_to_f32(in->u16[i]));                                                 \
        case SCARLET__BF16:                                                                        \
            LOOP(from_bf16(in->u16[i]));                                                           \
        case SCARLET__I64:                                                                         \
            LOOP((type)in->i64[i]);                                                                \
        case SCARLET__I32:                                                                         \
            LOOP((type)in->i32[i]);                                                                \
        case SCARLET__I16:                                                                         \
            LOOP(in->i16[i]);                                                                      \
        case SCARLET__I8:                                                                          \
            LOOP(in->i8[i]);                                                                       \
        case SCARLET__U8:                                                                          \
            LOOP(in->u8[i]);                                                                       \
        case SCARLET__BOOL:                                                                        \
            LOOP(in->u8[i] != 0);                                                                  \
        }                                                                                          \
    }

CONVERT(scarlet__dtype_to_f32, float)
CONVERT(scarlet__dtype_to_f64, double)
