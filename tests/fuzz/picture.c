/* A picture as scarlet_image_decode gets it; the last byte of an input chooses options. Once more
 * with an allocation that fails. */
#include <string.h>

#include "fuzz.h"
#include "scarlet/scarlet.h"

enum { PICTURE_OPTIONS = 200, FEW = 3, PIXELS_MAX = 4000000, ALLOCATIONS = 8 };

/* Each picture option of few values takes one from the bits of `choice`; the rest is for `resize`,
 * which decode=fast goes by. */
static scarlet_options *choose(unsigned choice)
{
    scarlet_options *opts = scarlet_options_create();
    MUST(opts && scarlet_options_set(opts, SCARLET_OPT_MAX_PIXELS, PIXELS_MAX, NULL) == 0);
    scarlet_option key;
    int64_t min, max;
    for (size_t i = 0; scarlet_option_describe(i, &key, NULL, &min, &max, NULL, NULL) == 0; i++)
        if ((int)key >= PICTURE_OPTIONS && max > min && max <= FEW) {
            unsigned values = (unsigned)(max - min) + 1;
            MUST(scarlet_options_set(opts, key, min + choice % values, NULL) == 0);
            choice /= values;
        }
    MUST(scarlet_options_set(opts, SCARLET_OPT_RESIZE, choice + 1, NULL) == 0);
    return opts;
}

static void check(const scarlet_image *image, const uint8_t *data, size_t size,
                  const scarlet_options *opts)
{
    static uint8_t copy[(size_t)PIXELS_MAX * 3];
    uint32_t width, height, w, h;
    size_t stride;
    scarlet_pixels format;
    int64_t turned, fast;
    MUST(scarlet_options_get(opts, SCARLET_OPT_AUTO_ORIENT, &turned, NULL) == SCARLET_OK);
    MUST(scarlet_options_get(opts, SCARLET_OPT_DECODE, &fast, NULL) == SCARLET_OK);
    const uint8_t *pixels = scarlet_image_pixels(image, &width, &height, &stride, &format);
    MUST(format == SCARLET_PIXELS_RGB && width && height && stride == (size_t)width * 3);
    MUST((uint64_t)width * height <= PIXELS_MAX);
    memcpy(copy, pixels, stride * height);
    /* What can be decoded has a head from which its size is known. */
    MUST(scarlet_image_probe(data, size, &w, &h, NULL) == SCARLET_OK);
    for (int part = fast ? 8 : 1; part > 0; part /= 2) {
        uint32_t a = (w + (uint32_t)part - 1) / (uint32_t)part;
        uint32_t b = (h + (uint32_t)part - 1) / (uint32_t)part;
        if ((a == width && b == height) || (turned && a == height && b == width))
            return;
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size == 0)
        return 0;
    unsigned choice = input[--size];
    uint8_t *data = malloc(size ? size : 1); /* so that its end is seen */
    MUST(data);
    memcpy(data, input, size);
    scarlet_options *opts = choose(choice);
    scarlet_image *image;
    scarlet_error err;
    scarlet_status status = scarlet_image_decode(data, size, opts, &image, &err);
    MUST((status == SCARLET_OK) == (image != NULL));
    if (image)
        check(image, data, size, opts);
    else
        MUST(err.status == status && memchr(err.message, '\0', sizeof err.message));
    scarlet_image_free(image);
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = scarlet_image_decode(data, size, opts, &image, NULL);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    fuzz_starve(0);
    scarlet_image_free(image);
    /* Which files are refused depends on nothing but the limit. */
    int64_t decode;
    MUST(scarlet_options_get(opts, SCARLET_OPT_DECODE, &decode, NULL) == SCARLET_OK);
    if (decode != SCARLET_DECODE_EXACT) {
        MUST(scarlet_options_set(opts, SCARLET_OPT_DECODE, SCARLET_DECODE_EXACT, NULL) == 0);
        MUST(scarlet_image_decode(data, size, opts, &image, NULL) == status);
        scarlet_image_free(image);
    }
    uint32_t width, height;
    scarlet_image_probe(data, size, &width, &height, NULL);
    scarlet_options_free(opts);
    free(data);
    return 0;
}
