#include "nas/data/augment.h"

#include <math.h>
#include <string.h>

#include "nas/data/colour.h"
#include "nas/real.h"

/* ---- crop ---- */

static double random_ratio(scarlet__random *r, const double ratio[2])
{
    return scarlet__real_exp(
        scarlet__random_between(r, scarlet__real_log(ratio[0]), scarlet__real_log(ratio[1])));
}

static scarlet__box centre_box(uint32_t width, uint32_t height, double w, double h)
{
    scarlet__box box = {.width = (uint32_t)w, .height = (uint32_t)h};
    box.width = box.width < 1 ? 1 : box.width;
    box.height = box.height < 1 ? 1 : box.height;
    box.x = (width - box.width) / 2;
    box.y = (height - box.height) / 2;
    return box;
}

scarlet__box scarlet__random_crop(const scarlet__recipe *recipe, uint32_t width, uint32_t height,
                                  scarlet__random *r)
{
    double area = (double)width * height;
    for (int i = 0; i < 10; i++) {
        double target = area * scarlet__random_between(r, recipe->scale[0], recipe->scale[1]);
        double aspect = random_ratio(r, recipe->ratio);
        double w = rint(sqrt(target * aspect)), h = rint(sqrt(target / aspect));
        if (w >= 1 && w <= width && h >= 1 && h <= height) {
            scarlet__box box = {.width = (uint32_t)w, .height = (uint32_t)h};
            box.y = scarlet__random_below(r, height - box.height + 1);
            box.x = scarlet__random_below(r, width - box.width + 1);
            return box;
        }
    }
    double ratio = (double)width / height; /* a picture too long or too high: its middle */
    if (ratio < recipe->ratio[0])
        return centre_box(width, height, width, fmin(height, rint(width / recipe->ratio[0])));
    if (ratio > recipe->ratio[1])
        return centre_box(width, height, fmin(width, rint(height * recipe->ratio[1])), height);
    return centre_box(width, height, width, height);
}

/* ---- pixels ---- */

/* Wraps a region. Planar formats have to be made RGB before: *rgb receives that picture. */
static scarlet_status wrap_region(const scarlet_image *image, const scarlet__box *box,
                                  scarlet_image **rgb, scarlet_image **out, scarlet_error *err)
{
    static const uint8_t bytes[] = {
        [SCARLET_PIXELS_RGB] = 3,  [SCARLET_PIXELS_BGR] = 3,  [SCARLET_PIXELS_RGBA] = 4,
        [SCARLET_PIXELS_BGRA] = 4, [SCARLET_PIXELS_GRAY] = 1,
    };
    uint32_t width, height;
    size_t stride;
    scarlet_pixels format;
    const uint8_t *pixels = scarlet_image_pixels(image, &width, &height, &stride, &format);
    *out = *rgb = NULL;
    if ((size_t)format >= sizeof bytes) {
        scarlet_status status =
            scarlet_image_resize(image, width, height, SCARLET_FILTER_BILINEAR, rgb, err);
        if (status != SCARLET_OK)
            return status;
        pixels = scarlet_image_pixels(*rgb, NULL, NULL, &stride, &format);
    }
    return scarlet_image_wrap(pixels + box->y * stride + (size_t)box->x * bytes[format], box->width,
                              box->height, stride, format, NULL, NULL, out, err);
}

static scarlet_status resize_region(const scarlet_image *image, const scarlet__box *box,
                                    uint32_t width, uint32_t height, scarlet_image **out,
                                    scarlet_error *err)
{
    scarlet_image *rgb, *region;
    scarlet_status status = wrap_region(image, box, &rgb, &region, err);
    if (status == SCARLET_OK)
        status = scarlet_image_resize(region, width, height, SCARLET_FILTER_BILINEAR, out, err);
    scarlet_image_free(region);
    scarlet_image_free(rgb);
    return status;
}

/* A picture of at least side x side, of which the result is the centre: exactly side x side after a
 * random crop, else as inference resizes. */
static scarlet_status resized(const scarlet__recipe *recipe, const scarlet_image *image,
                              scarlet__random *r, scarlet_image **out, scarlet_error *err)
{
    uint32_t width, height, side = (uint32_t)recipe->side;
    scarlet_image_pixels(image, &width, &height, NULL, NULL);
    *out = NULL;
    if (recipe->crop) {
        scarlet__box box = scarlet__random_crop(recipe, width, height, r);
        return resize_region(image, &box, side, side, out, err);
    }
    scarlet__box box = {.width = width, .height = height};
    uint64_t resize = (uint64_t)recipe->resize;
    uint64_t w = width <= height ? resize : resize * width / height;
    uint64_t h = width <= height ? resize * height / width : resize;
    return resize_region(image, &box, (uint32_t)(w < UINT32_MAX ? w : UINT32_MAX),
                         (uint32_t)(h < UINT32_MAX ? h : UINT32_MAX), out, err);
}

/* Where a centre crop begins: Python's round(), a half goes to the even side. */
static uint32_t centre(uint32_t size, uint32_t side)
{
    uint32_t half = (size - side) / 2;
    return (size - side) % 2 ? half + half % 2 : half;
}

static void copy_centre(const scarlet_image *image, uint32_t side, bool hflip, bool vflip,
                        uint8_t *out)
{
    uint32_t width, height;
    size_t stride;
    const uint8_t *pixels = scarlet_image_pixels(image, &width, &height, &stride, NULL);
    pixels += centre(height, side) * stride + (size_t)centre(width, side) * 3;
    for (uint32_t y = 0; y < side; y++) {
        const uint8_t *row = pixels + (vflip ? side - 1 - y : y) * stride;
        if (!hflip)
            memcpy(out, row, (size_t)side * 3);
        for (uint32_t x = 0; hflip && x < side; x++)
            memcpy(out + (size_t)x * 3, row + (size_t)(side - 1 - x) * 3, 3);
        out += (size_t)side * 3;
    }
}

/* ---- erasing ---- */

/* torchvision's RandomErasing with its defaults, after normalization: 0 is the mean. */
static void erase(float *out, int side, scarlet__random *r)
{
    static const double scale[2] = {0.02, 0.33}, ratio[2] = {0.3, 3.3};
    double area = (double)side * side;
    for (int i = 0; i < 10; i++) {
        double target = area * scarlet__random_between(r, scale[0], scale[1]);
        double aspect = random_ratio(r, ratio);
        double h = rint(sqrt(target * aspect)), w = rint(sqrt(target / aspect));
        if (!(h < side && w < side))
            continue;
        uint32_t y = scarlet__random_below(r, (uint32_t)side - (uint32_t)h + 1);
        uint32_t x = scarlet__random_below(r, (uint32_t)side - (uint32_t)w + 1);
        for (uint32_t row = 0; row < (uint32_t)h; row++)
            memset(out + ((size_t)(y + row) * (size_t)side + x) * 3, 0,
                   (size_t)w * 3 * sizeof *out);
        return;
    }
}

/* ---- the whole ---- */

scarlet_status scarlet__augment(const scarlet__recipe *recipe, const scarlet_image *image,
                                const scarlet_options *normalization, scarlet__random random,
                                uint8_t *scratch, float *out, scarlet_error *err)
{
    uint32_t side = (uint32_t)recipe->side;
    size_t count = (size_t)side * side;
    scarlet_image *picture;
    scarlet_status status = resized(recipe, image, &random, &picture, err);
    if (status != SCARLET_OK)
        return status;
    bool hflip = scarlet__random_unit(&random) < recipe->hflip;
    bool vflip = scarlet__random_unit(&random) < recipe->vflip;
    copy_centre(picture, side, hflip, vflip, scratch);
    scarlet_image_free(picture);
    if (recipe->trivial) {
        status = scarlet__trivial_augment(scratch, side, &random, err);
        if (status != SCARLET_OK)
            return status;
    }
    if (recipe->color_jitter > 0)
        scarlet__color_jitter(scratch, count, recipe->color_jitter, &random);
    status = scarlet_image_wrap(scratch, side, side, (size_t)side * 3, SCARLET_PIXELS_RGB, NULL,
                                NULL, &picture, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet_preprocess(picture, normalization, out, 3 * count, err);
    scarlet_image_free(picture);
    if (status == SCARLET_OK && scarlet__random_unit(&random) < recipe->reprob)
        erase(out, recipe->side, &random);
    return status;
}

/* ---- two pictures ---- */

double scarlet__random_beta(scarlet__random *r, double alpha)
{
    /* Joehnk: x = u^(1/a), y = v^(1/a), taken if x + y <= 1; in logarithms, as both may vanish. */
    for (;;) {
        double log_x = scarlet__real_log(1 - scarlet__random_unit(r)) / alpha;
        double log_y = scarlet__real_log(1 - scarlet__random_unit(r)) / alpha;
        double x = scarlet__real_exp(log_x), y = scarlet__real_exp(log_y);
        if (x + y > 1)
            continue;
        return x + y > 0 ? x / (x + y) : 1 / (1 + scarlet__real_exp(log_y - log_x));
    }
}

void scarlet__mixup(double share, size_t length, float *a, float *b)
{
    float keep = (float)share, give = (float)(1 - share);
    for (size_t i = 0; i < length; i++) {
        float x = a[i], y = b[i];
        a[i] = keep * x + give * y;
        b[i] = keep * y + give * x;
    }
}

scarlet__box scarlet__cutmix_box(int side, double share, scarlet__random *r)
{
    int half = (int)(side * sqrt(1 - share)) / 2;
    int x = (int)scarlet__random_below(r, (uint32_t)side);
    int y = (int)scarlet__random_below(r, (uint32_t)side);
    int left = x - half > 0 ? x - half : 0, right = x + half < side ? x + half : side;
    int top = y - half > 0 ? y - half : 0, bottom = y + half < side ? y + half : side;
    return (scarlet__box){.x = (uint32_t)left,
                          .y = (uint32_t)top,
                          .width = (uint32_t)(right - left),
                          .height = (uint32_t)(bottom - top)};
}

void scarlet__cutmix(const scarlet__box *box, int side, float *a, float *b)
{
    for (uint32_t y = box->y; y < box->y + box->height; y++) {
        size_t at = ((size_t)y * (size_t)side + box->x) * 3;
        for (size_t i = at; i < at + (size_t)box->width * 3; i++) {
            float x = a[i];
            a[i] = b[i];
            b[i] = x;
        }
    }
}
