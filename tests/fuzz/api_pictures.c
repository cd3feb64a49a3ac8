/* Pictures of the API's fuzzer. */
#include <string.h>

#include "api.h"

static struct picture {
    scarlet_image *image;
    void *kept; /* pixels of a picture that was wrapped without a release function */
} pictures[SLOTS];
static size_t wrapped; /* pixels that the library shall release */

const scarlet_image *some_picture(void)
{
    return pictures[below(SLOTS)].image;
}

static void on_release(void *user, const void *pixels)
{
    MUST(user && pixels && wrapped > 0);
    wrapped--;
    free(user);
}

static void free_picture(struct picture *p)
{
    scarlet_image_free(p->image);
    free(p->kept);
    *p = (struct picture){0};
}

/* Bytes that the pixels of a legal frame take, no more; for an illegal one anything. False if that
 * is too much to have. */
static bool frame_bytes(uint32_t width, uint32_t height, size_t stride, unsigned format,
                        size_t *size)
{
    static const size_t each[] = {3, 3, 4, 4, 1, 1, 1, 1};
    size_t luma, half = stride / 2;
    *size = 1;
    if (!width || !height || format >= sizeof each / sizeof *each || width > INT32_MAX ||
        height > INT32_MAX || stride < (size_t)width * each[format] ||
        __builtin_mul_overflow(stride, (size_t)height, &luma))
        return true; /* illegal */
    if (luma > 1 << 20)
        return luma > PTRDIFF_MAX;
    if (format < SCARLET_PIXELS_NV12)
        *size = stride * (height - 1) + width * each[format];
    else if (width % 2 == 0 && height % 2 == 0)
        *size = format == SCARLET_PIXELS_I420
                    ? luma + half * (height / 2) + half * (height / 2 - 1) + width / 2
                    : luma + stride * (height / 2 - 1) + width;
    return true;
}

static void wrap(struct picture *p)
{
    unsigned format = seldom(16) ? byte() : below(8);
    uint32_t width = seldom(32) ? (uint32_t)any_integer() : below(80);
    uint32_t height = seldom(32) ? (uint32_t)any_integer() : below(80);
    if (format >= 5 && seldom(2))
        width &= ~1u, height &= ~1u;
    size_t stride =
        seldom(32) ? (size_t)any_integer() : (size_t)width * (format < 4 ? 3 + format / 2 : 1);
    if (stride < SIZE_MAX / 2 && seldom(2))
        stride += below(9);
    size_t size;
    if (!frame_bytes(width, height, stride, format, &size))
        return;
    uint8_t *pixels = malloc(size);
    MUST(pixels);
    for (size_t i = 0, seed = byte(); i < size; i++)
        pixels[i] = (uint8_t)(seed * i + (i >> 5));
    bool keep = seldom(3);
    scarlet_image *image;
    CREATED(scarlet_image_wrap(seldom(32) ? NULL : pixels, width, height, stride,
                               (scarlet_pixels)format, keep ? NULL : on_release, pixels, &image,
                               fresh()),
            image);
    if (!image) {
        free(pixels);
        return;
    }
    free_picture(p);
    *p = (struct picture){image, keep ? pixels : NULL};
    wrapped += !keep;
}

static void wrap_planes(struct picture *p)
{
    uint32_t side = 2 * (1 + below(40));
    unsigned format = below(8);
    size_t strides[3], count = seldom(8) ? below(5) : format < 5 ? 1 : format < 7 ? 2 : 3;
    for (size_t i = 0; i < 3; i++)
        strides[i] = 4 * side - seldom(8) * 3 * side - seldom(16);
    uint8_t *pixels = calloc((size_t)side * side, 12);
    MUST(pixels);
    const void *planes[3] = {pixels, pixels + (size_t)side * side * 4,
                             seldom(16) ? NULL : pixels + (size_t)side * side * 8};
    scarlet_image *image;
    CREATED(scarlet_image_wrap_planes(seldom(32) ? NULL : planes, seldom(32) ? NULL : strides,
                                      count, side, side, (scarlet_pixels)format, on_release, pixels,
                                      &image, fresh()),
            image);
    if (!image) {
        free(pixels);
        return;
    }
    free_picture(p);
    *p = (struct picture){image, NULL};
    wrapped++;
}

static void decode(struct picture *p)
{
    size_t size;
    const uint8_t *from = bytes(SIZE_MAX, &size);
    uint8_t *data = malloc(size ? size : 1);
    uint32_t width, height;
    MUST(data);
    memcpy(data, from, size);
    static scarlet_options *limited; /* 4 megapixels, for calls without options */
    if (!limited) {
        MUST(limited = scarlet_options_create());
        MUST(scarlet_options_set(limited, SCARLET_OPT_MAX_PIXELS, PIXELS_MAX, NULL) == SCARLET_OK);
    }
    scarlet_options *opts = small_options();
    if (!opts)
        opts = limited;
    done(scarlet_image_probe(data, size, &width, seldom(16) ? NULL : &height, fresh()));
    free_picture(p);
    if (seldom(2))
        CREATED(scarlet_image_decode(seldom(16) ? NULL : data, size, opts, &p->image, fresh()),
                p->image);
    else
        CREATED(scarlet_image_load(fuzz_file(1, data, size), opts, &p->image, fresh()), p->image);
    free(data);
}

static void resize(struct picture *p)
{
    static const uint32_t sides[] = {0, 1, 2, 3, 7, 16, 64, 255, 256, 1000, 4000, UINT32_MAX};
    enum { SIDES = sizeof sides / sizeof *sides };
    uint32_t width = sides[below(SIDES)], height = sides[below(SIDES)], rows = 0;
    scarlet_image_pixels(p->image, NULL, &rows, NULL, NULL);
    if (width <= 4000 && height <= 4000 && width * (height > rows ? height : rows) > RESIZED_MAX)
        return; /* much memory and time, for the result, or for rows resized only across */
    scarlet_image *image;
    CREATED(scarlet_image_resize(p->image, width, height,
                                 (scarlet_filter)(seldom(16) ? any_integer() : 0), &image, fresh()),
            image);
    if (!image)
        return;
    free_picture(p);
    p->image = image;
}

static void preprocess(const struct picture *p)
{
    scarlet_options *opts = small_options();
    int64_t crop = 224;
    if (opts)
        scarlet_options_get(opts, SCARLET_OPT_CROP, &crop, NULL);
    crop = crop ? crop : 224;
    size_t length = 3 * (size_t)(crop * crop) + seldom(16);
    float *out = malloc(length * sizeof *out);
    MUST(out);
    done(scarlet_preprocess(p->image, opts, seldom(32) ? NULL : out, length, fresh()));
    free(out);
}

void call_picture(void)
{
    struct picture *p = &pictures[below(SLOTS)];
    uint32_t width, height;
    size_t stride;
    scarlet_pixels format;
    switch (below(8)) {
    case 0:
        free_picture(p);
        break;
    case 1:
        MUST((scarlet_image_pixels(p->image, &width, &height, &stride, &format) != NULL) ==
             (p->image != NULL));
        scarlet_image_pixels(p->image, NULL, NULL, NULL, NULL);
        break;
    case 2:
        wrap_planes(p);
        break;
    case 3:
        decode(p);
        break;
    case 4:
        resize(p);
        break;
    case 5:
        preprocess(p);
        break;
    default:
        wrap(p);
    }
}

void free_pictures(void)
{
    for (unsigned i = 0; i < SLOTS; i++)
        free_picture(&pictures[i]);
    MUST(wrapped == 0);
}
