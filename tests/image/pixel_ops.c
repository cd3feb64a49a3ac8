/* Every variant of the loops on pixels gives the bits of the portable one. */
#include "image/pixel_ops.h"
#include "common/cpu.h"
#include "scarlet/scarlet.h"
#include "test.h"

static uint64_t state = 1;

static uint32_t draw(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static void fill(uint8_t *bytes, size_t count)
{
    uint32_t kind = draw(4); /* now and then nothing but black or white */
    for (size_t i = 0; i < count; i++)
        bytes[i] = kind == 0 ? 0 : kind == 1 ? 255 : (uint8_t)draw(256);
}

enum { PIXELS = 300, WINDOWS = 64, TAPS = 48, ROWS = 40, WIDTH = 700 };

/* Weights that sum to at most 1; or to 1 or a trifle more, in equal parts, which gives ties. */
static void weigh(int32_t *weights, uint32_t length, uint32_t room)
{
    int32_t n = (int32_t)length, one = 1 << SCARLET__WEIGHT_BITS;
    uint32_t how = draw(3);
    memset(weights, 0, room * sizeof *weights);
    for (uint32_t t = 0; t < length; t++)
        weights[t] = how == 0 ? (int32_t)draw((uint32_t)one) / n : how == 1 ? one / n : one / n + 1;
}

static void across(const scarlet__pixel_ops *ops)
{
    static uint8_t row[PIXELS * 4 + SCARLET__ROW_PAD];
    static uint8_t out[2][WINDOWS * 3 + SCARLET__ROW_PAD];
    static uint32_t start[WINDOWS], length[WINDOWS];
    static int32_t weights[WINDOWS * TAPS];
    const scarlet__windows w = {start, length, weights, TAPS};
    for (int n = 0; n < 2000; n++) {
        uint32_t longest = 1 + draw(TAPS), count = 1 + draw(WINDOWS);
        scarlet__row_format format = (scarlet__row_format)draw(5);
        for (uint32_t i = 0; i < count; i++) {
            length[i] = 1 + draw(longest);
            start[i] = 10 + draw(PIXELS - length[i] + 1);
            weigh(weights + i * TAPS, length[i], TAPS);
        }
        fill(row, sizeof row);
        memset(out, 0, sizeof out);
        scarlet__pixel_ops_portable.across(&w, count, row, format, 10, out[0]);
        ops->across(&w, count, row, format, 10, out[1]);
        CHECK(memcmp(out[0], out[1], (size_t)count * 3) == 0);
    }
}

static void down(const scarlet__pixel_ops *ops)
{
    static uint8_t ring[ROWS * (WIDTH + SCARLET__ROW_PAD)], out[2][WIDTH + 1];
    int32_t weights[ROWS];
    for (int n = 0; n < 2000; n++) {
        uint32_t rows = 1 + draw(ROWS), length = 1 + draw(rows), bytes = 1 + draw(WIDTH);
        uint32_t first = draw(rows);
        size_t stride = bytes + SCARLET__ROW_PAD;
        fill(ring, sizeof ring);
        weigh(weights, length, ROWS);
        memset(out, 0xA5, sizeof out);
        scarlet__pixel_ops_portable.down(ring, stride, rows, first, weights, length, bytes, out[0]);
        ops->down(ring, stride, rows, first, weights, length, bytes, out[1]);
        CHECK(memcmp(out[0], out[1], sizeof out[0]) == 0); /* not a byte too many */
        CHECK(out[1][bytes] == 0xA5);
    }
}

static void yuv(const scarlet__pixel_ops *ops)
{
    static uint8_t y[256], chroma[2][256], out[2][256 * 4 + 1];
    for (int n = 0; n < 2000; n++) {
        uint32_t count = 2 * (1 + draw(128));
        fill(y, sizeof y);
        fill(chroma[0], sizeof chroma[0]);
        fill(chroma[1], sizeof chroma[1]);
        const uint8_t *cb = chroma[0], *cr = chroma[1];
        size_t step = 1 + draw(2);
        if (step == 2) {
            uint32_t swapped = draw(2);
            cb = chroma[0] + swapped;
            cr = chroma[0] + 1 - swapped;
        }
        memset(out, 0xA5, sizeof out);
        scarlet__pixel_ops_portable.yuv(y, cb, cr, step, count, out[0]);
        ops->yuv(y, cb, cr, step, count, out[1]);
        CHECK(memcmp(out[0], out[1], sizeof out[0]) == 0);
        CHECK(out[1][(size_t)count * 4] == 0xA5);
    }
}

int main(void)
{
    const scarlet__pixel_ops *ops = scarlet__pixel_ops_for(scarlet__cpu_isa(SCARLET_ISA_ANY));
    CHECK(scarlet__pixel_ops_for(SCARLET_ISA_PORTABLE) == &scarlet__pixel_ops_portable);
    if (ops == &scarlet__pixel_ops_portable)
        return 77; /* this CPU has no other: meson counts it as skipped */
    across(ops);
    down(ops);
    yuv(ops);
    return test_result();
}
