/* Every variant of the loops on pixels gives the bits of the portable one. */
#include "image/pixel_ops.h"

#include <sys/mman.h>

#include "common/cpu.h"
#include "scarlet/scarlet.h"
#include "test.h"

static uint32_t draw(uint32_t below)
{
    return (test_draw() >> 1) % below;
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
    static uint8_t rows[SCARLET__LINES][PIXELS * 4 + SCARLET__ROW_PAD];
    static uint8_t out[2][SCARLET__LINES][WINDOWS * 3 + SCARLET__ROW_PAD];
    static uint32_t start[WINDOWS], length[WINDOWS];
    static int32_t weights[WINDOWS * TAPS];
    static int8_t digits[WINDOWS * (TAPS + 4) * SCARLET__DIGITS];
    const size_t size = scarlet__digits_size(TAPS);
    const scarlet__windows w = {start, length, weights, TAPS, digits};
    for (int n = 0; n < 2000; n++) {
        uint32_t columns = 1 + draw(PIXELS), column = 4 * draw(10), count = 1 + draw(WINDOWS);
        uint32_t longest = 1 + draw(columns < TAPS ? columns : TAPS);
        scarlet__lines lines = {
            .row = rows[0],
            .stride = sizeof rows[0],
            .count = 1 + draw((uint32_t)ops->lines),
            .column = column,
            .columns = columns,
            .format = (scarlet__row_format)draw(5),
        };
        memset(digits, 0, sizeof digits);
        for (uint32_t i = 0; i < count; i++) {
            length[i] = 1 + draw(longest);
            start[i] = column + draw(columns - length[i] + 1);
            weigh(weights + i * TAPS, length[i], TAPS);
            scarlet__split_weights(weights + i * TAPS, length[i], start[i] % 4, digits + i * size);
        }
        uint8_t *to[SCARLET__LINES];
        memset(out, 0xA5, sizeof out);
        for (size_t i = 0; i < SCARLET__LINES; i++) {
            fill(rows[i], sizeof rows[i]);
            to[i] = out[1][i];
        }
        /* No more work than is promised, of any alignment. */
        size_t work_size = scarlet__work_size(columns, TAPS), shift = draw(64);
        uint8_t *work = malloc(work_size + shift);
        CHECK(work);
        ops->across(&w, count, &lines, work + shift, to);
        free(work);
        for (size_t i = 0; i < lines.count; i++, lines.row += lines.stride) {
            uint8_t *right = out[0][i];
            scarlet__pixel_ops_portable.across(&w, count, &lines, NULL, &right);
            CHECK(memcmp(out[0][i], out[1][i], (size_t)count * 3) == 0);
        }
        for (size_t i = lines.count; i < SCARLET__LINES; i++)
            CHECK(memcmp(out[0][i], out[1][i], sizeof out[0][i]) == 0); /* nothing else */
    }
}

/* A window so far along a row that its offset needs more than 32 bits. */
static void across_far(const scarlet__pixel_ops *ops)
{
    enum { FAR = 1200000000, SIZE = 4 };
    const size_t bytes = (size_t)FAR * SIZE + SCARLET__ROW_PAD;
    uint8_t *row = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!CHECK(row != MAP_FAILED))
        return;
    row[(size_t)(FAR - 1) * SIZE] = 99;
    const uint32_t start = FAR - 1, length = 1;
    const int32_t weights[SCARLET__TAPS] = {1 << SCARLET__WEIGHT_BITS};
    const scarlet__windows w = {&start, &length, weights, SCARLET__TAPS, NULL};
    const scarlet__lines lines = {row, bytes, 1, 0, FAR, SCARLET__ROW_RGBX};
    uint8_t out[3 + SCARLET__ROW_PAD], *to = out;
    ops->across(&w, 1, &lines, NULL, &to);
    CHECK(out[0] == 99 && out[1] == 0 && out[2] == 0);
    munmap(row, bytes);
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
    const scarlet__pixel_ops *portable = scarlet__pixel_ops_for(SCARLET_ISA_PORTABLE),
                             *last = portable;
    CHECK(portable == &scarlet__pixel_ops_portable);
    across_far(portable);
    for (int isa = 1; isa <= scarlet__cpu_isa(SCARLET_ISA_ANY); isa++) {
        const scarlet__pixel_ops *ops = scarlet__pixel_ops_for(isa);
        if (ops == last)
            continue;
        if (!ops->digits) /* those that take many rows at once are not used on wide ones */
            across_far(ops);
        across(ops);
        down(ops);
        yuv(ops);
        last = ops;
    }
    return last == portable ? 77 : test_result(); /* no other here: meson counts it as skipped */
}
