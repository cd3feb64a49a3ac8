/* Pictures: misuse, limits before allocation, failing allocations, no allocation in a steady state.
 */
#include <stdbool.h>
#include <time.h>

#include "common/memory.h"
#include "image/preprocess.h"
#include "test.h"

/* Two by two pixels each. */
static const uint8_t jpeg[] = {
    0xFF, 0xD8, 0xFF, 0xDB, 0x00, 0x43, 0x00, 0x10, 0x0B, 0x0C, 0x0E, 0x0C, 0x0A, 0x10, 0x0E, 0x0D,
    0x0E, 0x12, 0x11, 0x10, 0x13, 0x18, 0x28, 0x1A, 0x18, 0x16, 0x16, 0x18, 0x31, 0x23, 0x25, 0x1D,
    0x28, 0x3A, 0x33, 0x3D, 0x3C, 0x39, 0x33, 0x38, 0x37, 0x40, 0x48, 0x5C, 0x4E, 0x40, 0x44, 0x57,
    0x45, 0x37, 0x38, 0x50, 0x6D, 0x51, 0x57, 0x5F, 0x62, 0x67, 0x68, 0x67, 0x3E, 0x4D, 0x71, 0x79,
    0x70, 0x64, 0x78, 0x5C, 0x65, 0x67, 0x63, 0xFF, 0xC0, 0x00, 0x0B, 0x08, 0x00, 0x02, 0x00, 0x02,
    0x01, 0x01, 0x11, 0x00, 0xFF, 0xC4, 0x00, 0x14, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06, 0xFF, 0xC4, 0x00, 0x14, 0x10, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xFF, 0xDA, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x3F, 0x00, 0x48, 0xFF, 0xD9};
enum { JPEG_HEIGHT = 0x4A + 2, JPEG_WIDTH = JPEG_HEIGHT + 2 };
static const uint8_t png[] = {
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44,
    0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x02, 0x00, 0x00, 0x00, 0xFD,
    0xD4, 0x9A, 0x73, 0x00, 0x00, 0x00, 0x12, 0x49, 0x44, 0x41, 0x54, 0x78, 0xDA, 0x63, 0xF8,
    0xCF, 0xC0, 0xC0, 0x00, 0xC2, 0x0C, 0xFF, 0x81, 0x00, 0x00, 0x1F, 0xEE, 0x05, 0xFB, 0xF1,
    0xAB, 0xBA, 0x77, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82};

/* ---- allocations seen through the gate ---- */

static size_t calls, largest, failing; /* failing: number of the call that fails; 0: none */

static bool gate(size_t size)
{
    calls++;
    largest = size > largest ? size : largest;
    return calls != failing;
}

static void watch(size_t fail_at)
{
    calls = largest = 0;
    failing = fail_at;
    scarlet__alloc_gate = gate;
}

static void unwatch(void)
{
    scarlet__alloc_gate = NULL;
}

/* ---- tests ---- */

#define REFUSES(call, expected)                                                                    \
    do {                                                                                           \
        scarlet_error err = {0};                                                                   \
        CHECK((call) == SCARLET_ERROR_ARGUMENT);                                                   \
        CHECK_TEXT(err.message, expected);                                                         \
    } while (0)

static void decode(void)
{
    scarlet_image *image = (scarlet_image *)1;
    uint32_t w, h;
    size_t stride;
    scarlet_pixels format;
    CHECK(scarlet_image_decode(png, sizeof png, NULL, &image, NULL) == SCARLET_OK);
    const uint8_t *p = scarlet_image_pixels(image, &w, &h, &stride, &format);
    CHECK(p && w == 2 && h == 2 && stride == 6 && format == SCARLET_PIXELS_RGB);
    CHECK(p && p[0] == 255 && p[1] == 0 && p[4] == 255 && p[8] == 255);
    CHECK(scarlet_image_pixels(image, NULL, NULL, NULL, NULL) == p);
    scarlet_image_free(image);
    CHECK(scarlet_image_decode(jpeg, sizeof jpeg, NULL, &image, NULL) == SCARLET_OK);
    CHECK(scarlet_image_pixels(image, &w, &h, NULL, NULL) && w == 2 && h == 2);
    scarlet_image_free(image);
    scarlet_image_free(NULL);

    image = (scarlet_image *)1;
    REFUSES(scarlet_image_decode(NULL, 5, NULL, &image, &err), "data is NULL");
    CHECK(!image);
    REFUSES(scarlet_image_decode(png, 5, NULL, NULL, &err), "out is NULL");
    REFUSES(scarlet_image_load(NULL, NULL, &image, &err), "path is NULL");
    REFUSES(scarlet_image_load("x", NULL, NULL, &err), "out is NULL");
    REFUSES(scarlet_image_probe(NULL, 5, &w, &h, &err), "data is NULL");
    CHECK_TEXT(scarlet_image_kind("\x89PNG\r\n\x1A\n", 8), "PNG");
    CHECK_TEXT(scarlet_image_kind("\xFF\xD8\xFF", 3), "JPEG");
    CHECK_TEXT(scarlet_image_kind("GIF89a", 6), "GIF");
    CHECK(!scarlet_image_kind("GIF8", 4) && !scarlet_image_kind("", 0) &&
          !scarlet_image_kind(NULL, 5));
    REFUSES(scarlet_image_probe(png, 5, NULL, &h, &err), "width is NULL");
    REFUSES(scarlet_image_probe(png, 5, &w, NULL, &err), "height is NULL");
    CHECK(!scarlet_image_pixels(NULL, &w, &h, &stride, &format) && w == 0 && h == 0);
    for (size_t size = 0; size < sizeof png; size++) { /* no error to describe it in */
        image = (scarlet_image *)1;
        if (scarlet_image_decode(png, size, NULL, &image, NULL) == SCARLET_OK)
            scarlet_image_free(image);
        else
            CHECK(!image);
    }
}

static int released;

static void release(void *user, const void *pixels)
{
    released += user == &released && pixels;
}

static void wrap(void)
{
    static const uint8_t bytes[64];
    scarlet_image *image = (scarlet_image *)1;
    uint32_t w, h;
    size_t stride;
    scarlet_pixels format;
    CHECK(scarlet_image_wrap(bytes, 3, 2, 12, SCARLET_PIXELS_BGRA, release, &released, &image,
                             NULL) == SCARLET_OK);
    CHECK(scarlet_image_pixels(image, &w, &h, &stride, &format) == bytes);
    CHECK(w == 3 && h == 2 && stride == 12 && format == SCARLET_PIXELS_BGRA && released == 0);
    scarlet_image_free(image);
    CHECK(released == 1);

#define WRAP(pixels, w, h, stride, format)                                                         \
    scarlet_image_wrap(pixels, w, h, stride, format, release, &released, &image, &err)
    REFUSES(WRAP(NULL, 3, 2, 12, SCARLET_PIXELS_BGRA), "plane 0 is NULL");
    CHECK(!image);
    REFUSES(WRAP(bytes, 0, 2, 12, SCARLET_PIXELS_BGRA),
            "a picture of 0 x 2: width and height are 1 .. 2147483647");
    REFUSES(WRAP(bytes, 3, 0, 12, SCARLET_PIXELS_BGRA),
            "a picture of 3 x 0: width and height are 1 .. 2147483647");
    REFUSES(WRAP(bytes, (uint32_t)-3, 2, SIZE_MAX, SCARLET_PIXELS_BGRA),
            "a picture of 4294967293 x 2: width and height are 1 .. 2147483647");
    REFUSES(WRAP(bytes, 3, 2, 11, SCARLET_PIXELS_BGRA),
            "plane 0: a stride of 11 bytes is less than a row of 12");
    REFUSES(WRAP(bytes, 3, 2, 8, SCARLET_PIXELS_RGB),
            "plane 0: a stride of 8 bytes is less than a row of 9");
    REFUSES(WRAP(bytes, 1 << 30, 1, 4, SCARLET_PIXELS_RGBA), /* 2^32 bytes: no wrap-around */
            "plane 0: a stride of 4 bytes is less than a row of 4294967296");
    REFUSES(WRAP(bytes, 3, 2, SIZE_MAX / 2, SCARLET_PIXELS_RGB),
            "plane 0: 2 rows of 9223372036854775807 bytes are more than memory can hold");
    REFUSES(WRAP(bytes, 3, 3, SIZE_MAX / 2, SCARLET_PIXELS_RGB),
            "plane 0: 3 rows of 9223372036854775807 bytes are more than memory can hold");
    REFUSES(WRAP(bytes, 3, 2, 12, (scarlet_pixels)8), "unknown pixel format 8");
    REFUSES(WRAP(bytes, 3, 2, 12, (scarlet_pixels)-1), "unknown pixel format -1");
    REFUSES(WRAP(bytes, 3, 2, 12, SCARLET_PIXELS_NV12),
            "a picture of 3 x 2: NV12, NV21 and I420 need even sizes");
    REFUSES(WRAP(bytes, 4, 3, 12, SCARLET_PIXELS_I420),
            "a picture of 4 x 3: NV12, NV21 and I420 need even sizes");
    REFUSES(WRAP(bytes, 4, 2, 5, SCARLET_PIXELS_I420),
            "a stride of 5 bytes: I420 planes that follow each other need an even one");
    REFUSES(WRAP(bytes, 4, 2, 3, SCARLET_PIXELS_NV21),
            "plane 0: a stride of 3 bytes is less than a row of 4");
    REFUSES(scarlet_image_wrap(bytes, 1, 1, 4, SCARLET_PIXELS_RGB, NULL, NULL, NULL, &err),
            "out is NULL");

#define PLANES(count, format)                                                                      \
    scarlet_image_wrap_planes(planes, strides, count, 4, 2, format, release, &released, &image,    \
                              &err)
    const void *planes[3] = {bytes, bytes + 8, bytes + 12};
    size_t strides[3] = {4, 4, 2};
    CHECK(scarlet_image_wrap_planes(planes, strides, 2, 4, 2, SCARLET_PIXELS_NV12, release,
                                    &released, &image, NULL) == SCARLET_OK);
    scarlet_image_free(image);
    CHECK(released == 2);
    REFUSES(PLANES(3, SCARLET_PIXELS_NV12), "3 planes, the pixel format has 2");
    CHECK(!image);
    REFUSES(PLANES(0, SCARLET_PIXELS_RGB), "0 planes, the pixel format has 1");
    planes[1] = NULL;
    REFUSES(PLANES(2, SCARLET_PIXELS_NV12), "plane 1 is NULL");
    planes[1] = bytes;
    strides[2] = 1;
    REFUSES(PLANES(3, SCARLET_PIXELS_I420), "plane 2: a stride of 1 bytes is less than a row of 2");
    REFUSES(scarlet_image_wrap_planes(NULL, strides, 1, 1, 1, SCARLET_PIXELS_RGB, NULL, NULL,
                                      &image, &err),
            "planes is NULL");
    REFUSES(scarlet_image_wrap_planes(planes, NULL, 1, 1, 1, SCARLET_PIXELS_RGB, NULL, NULL, &image,
                                      &err),
            "strides is NULL");
    REFUSES(scarlet_image_wrap_planes(planes, strides, 1, 1, 1, SCARLET_PIXELS_RGB, NULL, NULL,
                                      NULL, &err),
            "out is NULL");
    CHECK(released == 2); /* a failed wrap does not take the pixels */
}

static void preprocess(void)
{
    static const uint8_t pixel[3] = {255, 0, 0};
    static float out[3 * 224 * 224];
    scarlet_image *image = NULL, *resized = NULL;
    CHECK(scarlet_image_wrap(pixel, 1, 1, 3, SCARLET_PIXELS_RGB, NULL, NULL, &image, NULL) == 0);
    CHECK(scarlet_preprocess(image, NULL, out, 3 * 224 * 224, NULL) == SCARLET_OK);
    CHECK(out[0] == (1.0f - 0.485f) / 0.229f);
    REFUSES(scarlet_preprocess(NULL, NULL, out, 3 * 224 * 224, &err), "image is NULL");
    REFUSES(scarlet_preprocess(image, NULL, NULL, 3 * 224 * 224, &err), "out is NULL");
    REFUSES(scarlet_preprocess(image, NULL, out, 224 * 224, &err),
            "out_len is 50176; a crop of 224 needs 3 * 224 * 224 = 150528 floats");
    scarlet_options *opts = scarlet_options_create();
    CHECK(scarlet_options_set(opts, SCARLET_OPT_CROP, 32, NULL) == SCARLET_OK);
    REFUSES(scarlet_preprocess(image, opts, out, 3 * 224 * 224, &err),
            "out_len is 150528; a crop of 32 needs 3 * 32 * 32 = 3072 floats");
    out[3072] = 77;
    CHECK(scarlet_preprocess(image, opts, out, 3072, NULL) == SCARLET_OK && out[3072] == 77);
    scarlet_options_free(opts);

    REFUSES(scarlet_image_resize(NULL, 2, 2, SCARLET_FILTER_BILINEAR, &resized, &err),
            "image is NULL");
    REFUSES(scarlet_image_resize(image, 2, 2, SCARLET_FILTER_BILINEAR, NULL, &err), "out is NULL");
    REFUSES(scarlet_image_resize(image, 2, 2, (scarlet_filter)5, &resized, &err),
            "unknown filter 5");
    REFUSES(scarlet_image_resize(image, 2, 0, SCARLET_FILTER_BILINEAR, &resized, &err),
            "a picture of 2 x 0: width and height are at least 1");
    watch(0);
    CHECK(scarlet_image_resize(image, UINT32_MAX, UINT32_MAX, SCARLET_FILTER_BILINEAR, &resized,
                               NULL) == SCARLET_ERROR_LIMIT);
    CHECK(calls == 0 && !resized);
    unwatch();
    scarlet_image_free(image);
}

/* A hundred bytes that claim a huge picture. */
static void claims(void)
{
    static const struct {
        const char *message;
        scarlet_status status;
        uint8_t header[25];
    } pngs[] = {
        {"data in memory: 65500 x 65500 pixels, at most 178956970 in all are allowed (option "
         "max_pixels)",
         SCARLET_ERROR_LIMIT,
         {0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0xFF, 0xDC, 0x00,
          0x00, 0xFF, 0xDC, 0x08, 0x02, 0x00, 0x00, 0x00, 0x1C, 0x35, 0x81, 0x4C}},
        {"data in memory: damaged PNG: 75 bytes cannot hold 13000 x 13000 pixels",
         SCARLET_ERROR_CORRUPT,
         {0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x32, 0xC8, 0x00,
          0x00, 0x32, 0xC8, 0x08, 0x02, 0x00, 0x00, 0x00, 0x6D, 0xC0, 0x7F, 0x6F}},
        {"data in memory: damaged PNG: 75 bytes cannot hold 178956970 x 1 pixels",
         SCARLET_ERROR_CORRUPT,
         {0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x0A, 0xAA, 0xAA, 0xAA, 0x00,
          0x00, 0x00, 0x01, 0x10, 0x06, 0x00, 0x00, 0x00, 0xA5, 0x71, 0x31, 0x7F}},
    };
    scarlet_image *image;
    scarlet_error err = {0};
    clock_t start = clock();
    watch(0);
    for (size_t i = 0; i < sizeof pngs / sizeof *pngs; i++) {
        uint8_t data[sizeof png];
        memcpy(data, png, sizeof png);
        memcpy(data + 8, pngs[i].header, sizeof pngs[i].header);
        CHECK(scarlet_image_decode(data, sizeof data, NULL, &image, &err) == pngs[i].status);
        CHECK_TEXT(err.message, pngs[i].message);
    }
    uint8_t data[sizeof jpeg];
    memcpy(data, jpeg, sizeof jpeg);
    memset(data + JPEG_HEIGHT, 0xFF, 4); /* 65535 is above libjpeg's own limit of 65500 */
    CHECK(scarlet_image_decode(data, sizeof data, NULL, &image, &err) == SCARLET_ERROR_CORRUPT);
    data[JPEG_HEIGHT + 1] = data[JPEG_WIDTH + 1] = 0xDC;
    CHECK(scarlet_image_decode(data, sizeof data, NULL, &image, &err) == SCARLET_ERROR_LIMIT);
    CHECK_TEXT(err.message, pngs[0].message);
    CHECK(largest < 1 << 20);
    CHECK(clock() - start < CLOCKS_PER_SEC / 10);
    unwatch();
}

/* Each allocation fails in its turn: MEMORY, nothing made, nothing lost (a leak checker sees that).
 */
static void failing_allocations(void)
{
    static const uint8_t frame[40 * 30 * 4];
    static float out[3 * 16 * 16];
    static const float mean[3], std[3] = {1, 1, 1};
    scarlet_image *image, *resized;
    scarlet_options *opts = scarlet_options_create();
    CHECK(scarlet_options_parse(opts, "crop=16,resize=16", NULL) == SCARLET_OK);
    for (int what = 0; what < 5; what++) {
        scarlet_image *wrapped;
        scarlet__preprocessor *p = scarlet__preprocessor_create();
        CHECK(scarlet_image_wrap(frame, 40, 30, 160, SCARLET_PIXELS_BGRA, NULL, NULL, &wrapped,
                                 NULL) == SCARLET_OK);
        scarlet_status status = SCARLET_ERROR_MEMORY;
        size_t n = 0;
        while (status != SCARLET_OK && n < 100) {
            scarlet_error err = {0};
            image = resized = NULL;
            watch(++n);
            switch (what) {
            case 0:
                status = scarlet_image_decode(jpeg, sizeof jpeg, NULL, &image, &err);
                break;
            case 1:
                status = scarlet_image_decode(png, sizeof png, NULL, &image, &err);
                break;
            case 2:
                status =
                    scarlet_image_resize(wrapped, 9, 11, SCARLET_FILTER_BILINEAR, &resized, &err);
                break;
            case 3:
                status = scarlet_preprocess(wrapped, opts, out, 3 * 16 * 16, &err);
                break;
            default: /* one preprocessor throughout: usable after each failure */
                status = scarlet__preprocessor_run(p, wrapped, 16, 16, mean, std,
                                                   SCARLET_LAYOUT_NHWC, out, &err);
                break;
            }
            unwatch();
            if (status != SCARLET_OK) {
                CHECK(status == SCARLET_ERROR_MEMORY && !image && !resized);
                CHECK_TEXT(err.message, "out of memory");
            }
            scarlet_image_free(image);
            scarlet_image_free(resized);
        }
        CHECK(n > 2 && n < 100);
        scarlet__preprocessor_free(p);
        scarlet_image_free(wrapped);
    }
    watch(1);
    CHECK(!scarlet__preprocessor_create());
    unwatch();
    scarlet_options_free(opts);
}

/* After the first frame of a size, frames of it and smaller ones cost no allocation. */
static void steady_state(void)
{
    static uint8_t frame[1280 * 720 * 4];
    static float out[2][3 * 64 * 64];
    static const float mean[3] = {0.5f, 0.5f, 0.5f}, std[3] = {0.25f, 0.25f, 0.25f};
    scarlet__preprocessor *p = scarlet__preprocessor_create();
    scarlet_image *large = NULL, *small = NULL, *region = NULL;
    CHECK(scarlet_image_wrap(frame, 1280, 720, 5120, SCARLET_PIXELS_BGRA, NULL, NULL, &large,
                             NULL) == 0);
    CHECK(scarlet_image_wrap(frame, 640, 480, 640, SCARLET_PIXELS_NV12, NULL, NULL, &small, NULL) ==
          0);
    CHECK(scarlet_image_wrap(frame + 5120, 200, 300, 5120, SCARLET_PIXELS_BGRA, NULL, NULL, &region,
                             NULL) == 0);
    const scarlet_image *images[] = {large, small, large, region, small, large, large};
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        for (size_t j = 0; j < sizeof frame; j += 97)
            frame[j] = (uint8_t)(j * (i + 1));
        watch(0);
        CHECK(scarlet__preprocessor_run(p, images[i], 73, 64, mean, std, SCARLET_LAYOUT_NCHW,
                                        out[0], NULL) == SCARLET_OK);
        unwatch();
        CHECK(i == 0 ? calls > 0 : calls == 0);
        /* What it keeps does not show. */
        scarlet__preprocessor *fresh = scarlet__preprocessor_create();
        CHECK(scarlet__preprocessor_run(fresh, images[i], 73, 64, mean, std, SCARLET_LAYOUT_NCHW,
                                        out[1], NULL) == SCARLET_OK);
        scarlet__preprocessor_free(fresh);
        CHECK(memcmp(out[0], out[1], sizeof out[0]) == 0);
    }
    scarlet_image_free(large);
    scarlet_image_free(small);
    scarlet_image_free(region);
    scarlet__preprocessor_free(p);
}

int main(void)
{
    decode();
    wrap();
    preprocess();
    claims();
    failing_allocations();
    steady_state();
    return test_result();
}
