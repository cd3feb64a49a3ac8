#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "image/pixel_ops.h"

/* Attributes, not compiler flags as in engine/kernels: these loops are written for one set each. */
#define AVX2 __attribute__((target("avx2")))

enum { BITS = SCARLET__WEIGHT_BITS, HALF = 1 << (BITS - 1), BLOCK = 32 };

AVX2 static inline __m128i load(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

AVX2 static inline __m256i load_twice(const void *p)
{
    return _mm256_broadcastsi128_si256(load(p));
}

/* ---- across ---- */

/* How bytes of four pixels become R, G, B in 32 bits: pixels 0 and 1, then 2 and 3, one a half; and
 * their weights as often. */
typedef struct spread {
    __m256i low, high, weights_low, weights_high;
    size_t size;
} spread;

/* The products of four pixels from p on with their weights, even pixels in one half. */
AVX2 static inline __m256i products(const uint8_t *p, const int32_t *weights, const spread *s)
{
    __m256i pixels = load_twice(p), k = load_twice(weights);
    return _mm256_add_epi32(_mm256_mullo_epi32(_mm256_shuffle_epi8(pixels, s->low),
                                               _mm256_shuffle_epi8(k, s->weights_low)),
                            _mm256_mullo_epi32(_mm256_shuffle_epi8(pixels, s->high),
                                               _mm256_shuffle_epi8(k, s->weights_high)));
}

/* The sum of window i, even and odd pixels apart. */
AVX2 static inline __m256i window(const scarlet__windows *w, uint32_t i,
                                  const scarlet__lines *lines, const spread *s)
{
    const uint8_t *p = lines->row + (w->start[i] - lines->column) * s->size;
    const int32_t *k = w->weights + i * w->taps;
    __m256i sum = products(p, k, s);
    for (uint32_t t = 4; t < w->length[i]; t += 4)
        sum = _mm256_add_epi32(sum, products(p + t * s->size, k + t, s));
    return sum;
}

AVX2 static inline __m256i join(__m256i a, __m256i b)
{
    __m256i sum = _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                                   _mm256_permute2x128_si256(a, b, 0x31));
    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), BITS);
}

AVX2 static void across(const scarlet__windows *w, uint32_t count, const scarlet__lines *lines,
                        void *work, uint8_t *const *out)
{
    const scarlet__row_layout l = scarlet__row_layouts[lines->format];
    /* Of one pixel: its byte and three that are none, for each colour; none. */
    const __m128i next = _mm_setr_epi32(l.size, l.size, l.size, 0);
    const __m128i p0 = _mm_setr_epi32(l.red - 256, l.green - 256, l.blue - 256, -1);
    const __m128i p1 = _mm_add_epi32(p0, next), p2 = _mm_add_epi32(p1, next);
    const __m128i word = _mm_set1_epi32(0x03020100);
    const spread s = {
        .low = _mm256_set_m128i(p1, p0),
        .high = _mm256_set_m128i(_mm_add_epi32(p2, next), p2),
        .weights_low = _mm256_set_m128i(_mm_add_epi8(word, _mm_set1_epi8(4)), word),
        .weights_high = _mm256_set_m128i(_mm_add_epi8(word, _mm_set1_epi8(12)),
                                         _mm_add_epi8(word, _mm_set1_epi8(8))),
        .size = l.size,
    };
    const __m128i dense = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    uint8_t *to = out[0];
    (void)work;
    for (uint32_t i = 0; i < count; i += 4, to += 12) {
        uint32_t last = count - 1; /* the last pixels again, into the row's pad, if count ends */
        uint32_t i1 = i + 1 < count ? i + 1 : last, i2 = i + 2 < count ? i + 2 : last;
        uint32_t i3 = i + 3 < count ? i + 3 : last;
        __m256i a = join(window(w, i, lines, &s), window(w, i1, lines, &s));
        __m256i b = join(window(w, i2, lines, &s), window(w, i3, lines, &s));
        __m256i words = _mm256_packus_epi32(a, b);         /* 0 2 | 1 3 */
        __m256i bytes = _mm256_packus_epi16(words, words); /* 0 2 0 2 | 1 3 1 3 */
        __m128i four = _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes),
                                          _mm256_extracti128_si256(bytes, 1)); /* 0 1 2 3 */
        _mm_storeu_si128((__m128i *)to, _mm_shuffle_epi8(four, dense));
    }
}

/* ---- down ---- */

AVX2 static inline __m256i term(const uint8_t *p, __m256i k)
{
    __m256i v = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
    return _mm256_mullo_epi32(v, k);
}

AVX2 static void down(const uint8_t *ring, size_t stride, size_t rows, size_t first,
                      const int32_t *weights, size_t length, size_t bytes, uint8_t *out)
{
    for (size_t at = 0; at < bytes; at += BLOCK) {
        __m256i a = _mm256_set1_epi32(HALF), b = a, c = a, d = a;
        size_t row = first;
        for (size_t t = 0; t < length; t++) {
            const uint8_t *p = ring + row * stride + at;
            __m256i k = _mm256_set1_epi32(weights[t]);
            a = _mm256_add_epi32(a, term(p, k));
            b = _mm256_add_epi32(b, term(p + 8, k));
            c = _mm256_add_epi32(c, term(p + 16, k));
            d = _mm256_add_epi32(d, term(p + 24, k));
            row = row + 1 < rows ? row + 1 : 0;
        }
        __m256i ab = _mm256_packus_epi32(_mm256_srai_epi32(a, BITS), _mm256_srai_epi32(b, BITS));
        __m256i cd = _mm256_packus_epi32(_mm256_srai_epi32(c, BITS), _mm256_srai_epi32(d, BITS));
        __m256i mixed = _mm256_packus_epi16(ab, cd);
        __m256i done =
            _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
        if (bytes - at >= BLOCK) {
            _mm256_storeu_si256((__m256i *)(out + at), done);
        } else {
            uint8_t rest[BLOCK];
            _mm256_storeu_si256((__m256i *)rest, done);
            memcpy(out + at, rest, bytes - at);
        }
    }
}

/* ---- YCbCr ---- */

AVX2 static inline __m256i pair(int a, int b)
{
    return _mm256_set1_epi32((int)(((unsigned)b & 0xFFFF) << 16 | ((unsigned)a & 0xFFFF)));
}

/* Words a and b, each times its factor, summed, plus `more`, rounded: words again. */
AVX2 static inline __m256i channel(__m256i a, __m256i b, __m256i factors, __m256i more_low,
                                   __m256i more_high)
{
    __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), factors);
    __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), factors);
    low = _mm256_srai_epi32(_mm256_add_epi32(low, more_low), SCARLET__YUV_BITS);
    high = _mm256_srai_epi32(_mm256_add_epi32(high, more_high), SCARLET__YUV_BITS);
    return _mm256_packs_epi32(low, high);
}

AVX2 void scarlet__yuv_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, size_t step,
                            uint32_t count, uint8_t *out)
{
    const __m256i half = _mm256_set1_epi32(1 << (SCARLET__YUV_BITS - 1));
    const __m256i one = _mm256_set1_epi16(1);
    const __m128i even = _mm_setr_epi8(0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14);
    const __m128i odd = _mm_add_epi8(even, _mm_set1_epi8(1));
    if (count < 16) {
        scarlet__yuv_row(y, cb, cr, step, count, out);
        return;
    }
    const uint8_t *pair_of = cb < cr ? cb : cr;
    for (uint32_t i = 0; i < count; i += 16) {
        uint32_t x = i < count - 16 ? i : count - 16; /* some pixels twice, if count ends */
        __m128i blues, reds;                          /* each chroma sample twice */
        if (step == 2) {
            __m128i pairs = load(pair_of + x);
            blues = _mm_shuffle_epi8(pairs, cb < cr ? even : odd);
            reds = _mm_shuffle_epi8(pairs, cb < cr ? odd : even);
        } else {
            blues = _mm_loadl_epi64((const __m128i *)(cb + x / 2));
            blues = _mm_unpacklo_epi8(blues, blues);
            reds = _mm_loadl_epi64((const __m128i *)(cr + x / 2));
            reds = _mm_unpacklo_epi8(reds, reds);
        }
        __m256i luma = _mm256_sub_epi16(_mm256_cvtepu8_epi16(load(y + x)), _mm256_set1_epi16(16));
        __m256i b = _mm256_sub_epi16(_mm256_cvtepu8_epi16(blues), _mm256_set1_epi16(128));
        __m256i r = _mm256_sub_epi16(_mm256_cvtepu8_epi16(reds), _mm256_set1_epi16(128));
        const __m256i green = pair(SCARLET__CR_GREEN, 1 << (SCARLET__YUV_BITS - 1));
        __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(r, one), green);
        __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(r, one), green);
        __m256i red = channel(luma, r, pair(SCARLET__Y, SCARLET__CR_RED), half, half);
        __m256i blue = channel(luma, b, pair(SCARLET__Y, SCARLET__CB_BLUE), half, half);
        __m256i grn = channel(luma, b, pair(SCARLET__Y, SCARLET__CB_GREEN), low, high);
        /* Pixels 0 .. 7 in one half, 8 .. 15 in the other. */
        __m256i rb = _mm256_packus_epi16(red, blue);
        __m256i gx = _mm256_packus_epi16(grn, _mm256_setzero_si256());
        __m256i rg = _mm256_unpacklo_epi8(rb, gx), bx = _mm256_unpackhi_epi8(rb, gx);
        __m256i first = _mm256_unpacklo_epi16(rg, bx), second = _mm256_unpackhi_epi16(rg, bx);
        __m256i *to = (__m256i *)(out + 4 * (size_t)x);
        _mm256_storeu_si256(to, _mm256_permute2x128_si256(first, second, 0x20));
        _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(first, second, 0x31));
    }
}

const scarlet__pixel_ops scarlet__pixel_ops_avx2 = {1, false, across, down, scarlet__yuv_avx2};

#else
typedef int scarlet__no_avx2; /* a translation unit is not empty */
#endif
