/*
 * Weights are split into three digits of base 256 that are signed bytes: then one instruction
 * (vpdpbusd) sums the products of four pixels and a digit of their weights, and no bit is lost.
 */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "image/pixel_ops.h"

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

enum { BITS = SCARLET__WEIGHT_BITS, HALF = 1 << (BITS - 1), BLOCK = 64, DIGITS = SCARLET__DIGITS };

/* Sums by digits to bytes in 32 bits. */
VNNI static inline __m512i whole(const __m512i sum[DIGITS])
{
    __m512i high = _mm512_add_epi32(sum[1], _mm512_slli_epi32(sum[2], 8));
    __m512i all = _mm512_add_epi32(sum[0], _mm512_slli_epi32(high, 8));
    return _mm512_srai_epi32(_mm512_add_epi32(all, _mm512_set1_epi32(HALF)), BITS);
}

/* ---- across ---- */

/* Four columns of four lines in each of four blocks: 128 bits a line, R of the four pixels, then G,
 * B and zeros. `apart` puts a line's columns 4 j .. 4 j + 3 into 128 bits number j. */
VNNI static inline void turn(const uint8_t *const *line, size_t at, __m512i apart, __m512i pattern,
                             __m512i *blocks)
{
    __m512i a = _mm512_permutexvar_epi32(apart, _mm512_loadu_si512(line[0] + at));
    __m512i b = _mm512_permutexvar_epi32(apart, _mm512_loadu_si512(line[1] + at));
    __m512i c = _mm512_permutexvar_epi32(apart, _mm512_loadu_si512(line[2] + at));
    __m512i d = _mm512_permutexvar_epi32(apart, _mm512_loadu_si512(line[3] + at));
    __m512i ab = _mm512_shuffle_i32x4(a, b, 0x44), cd = _mm512_shuffle_i32x4(c, d, 0x44);
    __m512i even = _mm512_shuffle_i32x4(ab, cd, 0x88), odd = _mm512_shuffle_i32x4(ab, cd, 0xDD);
    _mm512_store_si512(blocks, _mm512_shuffle_epi8(even, pattern));
    _mm512_store_si512(blocks + 2, _mm512_shuffle_epi8(odd, pattern));
    ab = _mm512_shuffle_i32x4(a, b, 0xEE), cd = _mm512_shuffle_i32x4(c, d, 0xEE);
    even = _mm512_shuffle_i32x4(ab, cd, 0x88), odd = _mm512_shuffle_i32x4(ab, cd, 0xDD);
    _mm512_store_si512(blocks + 4, _mm512_shuffle_epi8(even, pattern));
    _mm512_store_si512(blocks + 6, _mm512_shuffle_epi8(odd, pattern));
}

/* Two blocks for each four columns. A line that is not there is the first again. */
VNNI static void gather(const scarlet__lines *lines, __m512i *blocks)
{
    const scarlet__row_layout l = scarlet__row_layouts[lines->format];
    const size_t size = l.size;
    /* Bytes c, size + c, 2 size + c and 3 size + c for each colour c. */
    const int each = 0x01010101, four = l.size * 0x03020100;
    const __m512i pattern = _mm512_broadcast_i32x4(
        _mm_setr_epi32(l.red * each + four, l.green * each + four, l.blue * each + four, -1));
    const __m512i lane = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const __m512i apart = _mm512_add_epi32(_mm512_mullo_epi32(lane, _mm512_set1_epi32((int)size)),
                                           _mm512_broadcast_i32x4(_mm_setr_epi32(0, 1, 2, 3)));
    const uint8_t *p[SCARLET__LINES];
    for (size_t i = 0; i < SCARLET__LINES; i++)
        p[i] = lines->row + (i < lines->count ? i : 0) * lines->stride;
    for (size_t x = 0; x < lines->columns; x += 16, blocks += 8) {
        turn(p, x * size, apart, pattern, blocks);
        turn(p + 4, x * size, apart, pattern, blocks + 1);
    }
}

/* Four bytes in each 32 bits. */
VNNI static inline __m512i everywhere(const int8_t *four)
{
    int32_t bytes;
    memcpy(&bytes, four, sizeof bytes);
    return _mm512_set1_epi32(bytes);
}

/* Two windows at once, both as long as the longer (its digits end with zeros), of eight lines, one
 * in each 128 bits. */
VNNI static void across(const scarlet__windows *w, uint32_t count, const scarlet__lines *lines,
                        void *work, uint8_t *const *out)
{
    __m512i *blocks = (__m512i *)(((uintptr_t)work + 63) & ~(uintptr_t)63);
    gather(lines, blocks);
    const scarlet__windows v = *w; /* no store to `out` can change it */
    const size_t size = scarlet__digits_size(v.taps);
    const uint32_t column = lines->column;
    uint8_t *to[SCARLET__LINES];
    for (size_t j = 0; j < SCARLET__LINES; j++)
        to[j] = out[j < lines->count ? j : 0];
    /* Of two pixels of one line and two of another. */
    const __m512i dense = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, -1, -1, 8, 9, 10, 12, 13, 14, -1, -1));
    for (uint32_t i = 0; i < count; i += 2) {
        uint32_t n = i + 1 < count ? i + 1 : i; /* into the pad, if count ends */
        uint32_t a = v.start[i] - column, b = v.start[n] - column;
        const __m512i *x = blocks + a / 4 * 2, *y = blocks + b / 4 * 2;
        const int8_t *k = v.digits + i * size, *l = v.digits + n * size;
        size_t steps_a = (a + v.length[i] + 3) / 4 - a / 4;
        size_t steps_b = (b + v.length[n] + 3) / 4 - b / 4;
        __m512i xlow[DIGITS], xhigh[DIGITS], ylow[DIGITS], yhigh[DIGITS];
        for (int d = 0; d < DIGITS; d++)
            xlow[d] = xhigh[d] = ylow[d] = yhigh[d] = _mm512_setzero_si512();
        for (size_t t = steps_a > steps_b ? steps_a : steps_b; t > 0; t--, x += 2, y += 2)
            for (int d = 0; d < DIGITS; d++, k += 4, l += 4) {
                __m512i four = everywhere(k);
                xlow[d] = _mm512_dpbusd_epi32(xlow[d], x[0], four);
                xhigh[d] = _mm512_dpbusd_epi32(xhigh[d], x[1], four);
                four = everywhere(l);
                ylow[d] = _mm512_dpbusd_epi32(ylow[d], y[0], four);
                yhigh[d] = _mm512_dpbusd_epi32(yhigh[d], y[1], four);
            }
        __m512i low = _mm512_packus_epi32(whole(xlow), whole(ylow));
        __m512i high = _mm512_packus_epi32(whole(xhigh), whole(yhigh));
        __m512i bytes = _mm512_shuffle_epi8(_mm512_packus_epi16(low, high), dense);
        const __m128i both[4] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                                 _mm512_extracti32x4_epi32(bytes, 2),
                                 _mm512_extracti32x4_epi32(bytes, 3)};
        for (int j = 0; j < 4; j++) {
            const int64_t one = _mm_cvtsi128_si64(both[j]), other = _mm_extract_epi64(both[j], 1);
            memcpy(to[j] + 3 * (size_t)i, &one, 8);
            memcpy(to[j + 4] + 3 * (size_t)i, &other, 8);
        }
    }
}

/* ---- down ---- */

/* Weights' digits in their bytes, as scarlet__windows has them. */
VNNI static inline __m128i digits(__m128i weights)
{
    const __m128i half = _mm_set1_epi32(0x808080);
    return _mm_xor_si128(_mm_add_epi32(weights, half), half);
}

/* Four rows at once: each 32 bits have a byte of each. */
VNNI static void down(const uint8_t *ring, size_t stride, size_t rows, size_t first,
                      const int32_t *weights, size_t length, size_t bytes, uint8_t *out)
{
    __m128i digit[DIGITS]; /* of four weights, in each 32 bits */
    for (int d = 0; d < DIGITS; d++)
        digit[d] = _mm_set1_epi32(0x0C080400 + 0x01010101 * d);
    for (size_t at = 0; at < bytes; at += BLOCK) {
        const __mmask64 here = bytes - at < BLOCK ? ~0ull >> (BLOCK - (bytes - at)) : ~0ull;
        __m512i sum[4][DIGITS];
        for (int q = 0; q < 4; q++)
            for (int d = 0; d < DIGITS; d++)
                sum[q][d] = _mm512_setzero_si512();
        size_t row = first;
        for (size_t t = 0; t < length; t += 4) {
            __m512i byte[4];
            for (size_t j = 0; j < 4; j++) {
                byte[j] = _mm512_maskz_loadu_epi8(here, ring + row * stride + at);
                if (t + j + 1 < length) /* after the last row that row again, times 0 */
                    row = row + 1 < rows ? row + 1 : 0;
            }
            __m512i low01 = _mm512_unpacklo_epi8(byte[0], byte[1]);
            __m512i low23 = _mm512_unpacklo_epi8(byte[2], byte[3]);
            __m512i high01 = _mm512_unpackhi_epi8(byte[0], byte[1]);
            __m512i high23 = _mm512_unpackhi_epi8(byte[2], byte[3]);
            const __m512i x[4] = {
                _mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
            __m128i k = digits(_mm_loadu_si128((const __m128i *)(weights + t)));
            for (int j = 0; j < DIGITS; j++) {
                __m512i four = _mm512_broadcastd_epi32(_mm_shuffle_epi8(k, digit[j]));
                for (int q = 0; q < 4; q++)
                    sum[q][j] = _mm512_dpbusd_epi32(sum[q][j], x[q], four);
            }
        }
        __m512i ab = _mm512_packus_epi32(whole(sum[0]), whole(sum[1]));
        __m512i cd = _mm512_packus_epi32(whole(sum[2]), whole(sum[3]));
        _mm512_mask_storeu_epi8(out + at, here, _mm512_packus_epi16(ab, cd));
    }
}

/* ---- YCbCr ---- */

VNNI static inline __m512i factors(int a, int b)
{
    return _mm512_set1_epi32((int)(((unsigned)b & 0xFFFF) << 16 | ((unsigned)a & 0xFFFF)));
}

/* Words a and b, each times its factor, summed, plus `more`, rounded: words again. */
VNNI static inline __m512i channel(__m512i a, __m512i b, __m512i k, __m512i more_low,
                                   __m512i more_high)
{
    __m512i low = _mm512_dpwssd_epi32(more_low, _mm512_unpacklo_epi16(a, b), k);
    __m512i high = _mm512_dpwssd_epi32(more_high, _mm512_unpackhi_epi16(a, b), k);
    return _mm512_packs_epi32(_mm512_srai_epi32(low, SCARLET__YUV_BITS),
                              _mm512_srai_epi32(high, SCARLET__YUV_BITS));
}

/* Bytes as words, less `offset`. */
VNNI static inline __m512i centred(__m256i bytes, short offset)
{
    return _mm512_sub_epi16(_mm512_cvtepu8_epi16(bytes), _mm512_set1_epi16(offset));
}

/* Each of 16 bytes twice. */
VNNI static inline __m256i twice(const uint8_t *p)
{
    __m256i words = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
    return _mm256_or_si256(words, _mm256_slli_epi16(words, 8));
}

VNNI static void yuv(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step,
                     uint32_t count, uint8_t *out)
{
    if (count < 32) {
        scarlet__yuv_avx2(y, cb, cr, step, count, out);
        return;
    }
    const __m512i half = _mm512_set1_epi32(1 << (SCARLET__YUV_BITS - 1));
    const __m512i zero = _mm512_setzero_si512();
    const __m256i even = _mm256_set_epi64x(0x0E0E0C0C0A0A0808, 0x0606040402020000,
                                           0x0E0E0C0C0A0A0808, 0x0606040402020000);
    const __m256i odd = _mm256_add_epi8(even, _mm256_set1_epi8(1));
    const __m512i low_half = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i high_half = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    const uint8_t *pairs = cb < cr ? cb : cr;
    for (uint32_t i = 0; i < count; i += 32) {
        uint32_t x = i < count - 32 ? i : count - 32; /* some pixels twice, if count ends */
        __m256i blues, reds;                          /* each chroma sample twice */
        if (step == 2) {
            __m256i both = _mm256_loadu_si256((const __m256i *)(pairs + x));
            blues = _mm256_shuffle_epi8(both, cb < cr ? even : odd);
            reds = _mm256_shuffle_epi8(both, cb < cr ? odd : even);
        } else {
            blues = twice(cb + x / 2);
            reds = twice(cr + x / 2);
        }
        __m512i luma = centred(_mm256_loadu_si256((const __m256i *)(y + x)), 16);
        __m512i b = centred(blues, 128), r = centred(reds, 128);
        const __m512i green = factors(SCARLET__CR_GREEN, 0);
        __m512i low = _mm512_dpwssd_epi32(half, _mm512_unpacklo_epi16(r, zero), green);
        __m512i high = _mm512_dpwssd_epi32(half, _mm512_unpackhi_epi16(r, zero), green);
        __m512i red = channel(luma, r, factors(SCARLET__Y, SCARLET__CR_RED), half, half);
        __m512i blue = channel(luma, b, factors(SCARLET__Y, SCARLET__CB_BLUE), half, half);
        __m512i grn = channel(luma, b, factors(SCARLET__Y, SCARLET__CB_GREEN), low, high);
        /* Each 128 bits have eight pixels. */
        __m512i rb = _mm512_packus_epi16(red, blue), gx = _mm512_packus_epi16(grn, zero);
        __m512i rg = _mm512_unpacklo_epi8(rb, gx), bx = _mm512_unpackhi_epi8(rb, gx);
        __m512i first = _mm512_unpacklo_epi16(rg, bx), second = _mm512_unpackhi_epi16(rg, bx);
        uint8_t *to = out + 4 * (size_t)x;
        _mm512_storeu_si512(to, _mm512_permutex2var_epi64(first, low_half, second));
        _mm512_storeu_si512(to + 64, _mm512_permutex2var_epi64(first, high_half, second));
    }
}

const scarlet__pixel_ops scarlet__pixel_ops_avx512vnni = {SCARLET__LINES, true, across, down, yuv};

#else
typedef int scarlet__no_avx512vnni; /* a translation unit is not empty */
#endif
