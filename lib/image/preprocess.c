#include "image/preprocess.h"

#include <string.h>

#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "image/resize.h"
#include "options/options.h"

struct scarlet__preprocessor {
    scarlet__resizer resizer;
    uint8_t *row; /* of the crop, RGB */
    size_t row_room;
    float mean[3], std[3]; /* that `value` is for */
    float value[3][256];   /* of each byte, normalised */
};

scarlet__preprocessor *scarlet__preprocessor_create(void)
{
    return scarlet__calloc(1, sizeof(scarlet__preprocessor));
}

void scarlet__preprocessor_free(scarlet__preprocessor *p)
{
    if (!p)
        return;
    scarlet__resizer_clear(&p->resizer);
    scarlet__free(p->row);
    scarlet__free(p);
}

size_t scarlet__preprocessor_bytes(const scarlet__preprocessor *p)
{
    return sizeof *p + p->row_room + scarlet__resizer_bytes(&p->resizer);
}

uint32_t scarlet__default_resize(uint32_t crop)
{
    return crop * 8 / 7 ? crop * 8 / 7 : 1;
}

static uint32_t crop_option(const scarlet_options *opts)
{
    int64_t crop = SCARLET__IMAGENET_SIDE;
    scarlet__option_set(opts, SCARLET_OPT_CROP, &crop);
    return (uint32_t)crop;
}

uint32_t scarlet__resize_option(const scarlet_options *opts)
{
    int64_t resize;
    return scarlet__option_set(opts, SCARLET_OPT_RESIZE, &resize)
               ? (uint32_t)resize
               : scarlet__default_resize(crop_option(opts));
}

/* Three roundings, as the reference: to float, / 255, - mean, / std. */
static void tabulate(scarlet__preprocessor *p, const float mean[3], const float std[3])
{
    /* Other bits, at worst of the same value, are tabulated anew.
     * NOLINTNEXTLINE(*-comparison,cert-exp42-c,cert-flp37-c) */
    if (memcmp(p->mean, mean, sizeof p->mean) == 0 && memcmp(p->std, std, sizeof p->std) == 0)
        return;
    memcpy(p->mean, mean, sizeof p->mean);
    memcpy(p->std, std, sizeof p->std);
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            p->value[c][v] = ((float)v / 255.0f - mean[c]) / std[c];
}

/* The centre crop of an axis of `size` pixels: which of them it takes, and how many zeros come
 * before them. */
static scarlet__span centre(uint64_t size, uint32_t crop, uint32_t *zeros)
{
    if (size < crop) {
        *zeros = (uint32_t)(crop - size) / 2;
        return (scarlet__span){.size = size, .first = 0, .count = (uint32_t)size};
    }
    /* Python's round((size - crop) / 2): a half goes to the even side. */
    uint64_t half = (size - crop) / 2;
    if ((size - crop) % 2)
        half += half % 2;
    *zeros = 0;
    return (scarlet__span){.size = size, .first = half, .count = crop};
}

static void normalise(const scarlet__preprocessor *p, uint32_t y, uint32_t crop, int layout,
                      float *out)
{
    const uint8_t *in = p->row;
    size_t plane = (size_t)crop * crop, row = (size_t)y * crop;
    if (layout == SCARLET_LAYOUT_NHWC) {
        out += row * 3;
        for (uint32_t x = 0; x < crop; x++, in += 3, out += 3)
            for (int c = 0; c < 3; c++)
                out[c] = p->value[c][in[c]];
    } else {
        float *r = out + row, *g = r + plane, *b = g + plane;
        for (uint32_t x = 0; x < crop; x++, in += 3) {
            r[x] = p->value[0][in[0]];
            g[x] = p->value[1][in[1]];
            b[x] = p->value[2][in[2]];
        }
    }
}

scarlet_status scarlet__preprocessor_run(scarlet__preprocessor *p, const scarlet_image *image,
                                         uint32_t resize, uint32_t crop, const float mean[3],
                                         const float std[3], int layout, float *out,
                                         scarlet_error *err)
{
    uint64_t w = image->width, h = image->height;
    uint64_t width = w <= h ? resize : resize * w / h;
    uint64_t height = w <= h ? resize * h / w : resize;
    uint32_t left, top;
    scarlet__span x = centre(width, crop, &left), y = centre(height, crop, &top);

    if (!scarlet__room((void **)&p->row, &p->row_room, crop, 3))
        return scarlet__fail_memory(err);
    scarlet_status status = scarlet__resizer_start(&p->resizer, image, &x, &y, err);
    if (status != SCARLET_OK)
        return status;
    tabulate(p, mean, std);
    memset(p->row, 0, (size_t)crop * 3);
    for (uint32_t i = 0; i < top; i++)
        normalise(p, i, crop, layout, out);
    for (uint32_t i = 0; i < y.count; i++) {
        scarlet__resizer_next(&p->resizer, p->row + (size_t)left * 3);
        normalise(p, top + i, crop, layout, out);
    }
    memset(p->row, 0, (size_t)crop * 3);
    for (uint32_t i = top + y.count; i < crop; i++)
        normalise(p, i, crop, layout, out);
    return SCARLET_OK;
}

scarlet_status scarlet_preprocess(const scarlet_image *image, const scarlet_options *opts,
                                  float *out, size_t out_len, scarlet_error *err)
{
    if (!image || !out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", image ? "out" : "image");
    uint32_t crop = crop_option(opts);
    size_t expected = 3 * (size_t)crop * crop;
    if (out_len != expected)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "out_len is %zu; a crop of %lu needs 3 * %lu * %lu = %zu floats",
                             out_len, (unsigned long)crop, (unsigned long)crop, (unsigned long)crop,
                             expected);
    float mean[3] = SCARLET__IMAGENET_MEAN, std[3] = SCARLET__IMAGENET_STD;
    scarlet__option_normalization(opts, mean, std);

    scarlet__preprocessor *p = scarlet__preprocessor_create();
    if (!p)
        return scarlet__fail_memory(err);
    scarlet__host host = scarlet__host_enter();
    scarlet_status status =
        scarlet__preprocessor_run(p, image, scarlet__resize_option(opts), crop, mean, std,
                                  (int)scarlet__option(opts, SCARLET_OPT_LAYOUT), out, err);
    scarlet__host_leave(&host);
    scarlet__preprocessor_free(p);
    return status;
}
