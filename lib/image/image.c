/* Pictures of our own and of the caller's pixels. */
#include "image/image.h"

#include "common/error.h"
#include "common/memory.h"

static const struct {
    uint8_t planes;
    uint8_t bytes[3];  /* of a pixel (packed) or of a pair of pixels (YCbCr) in each plane */
    uint8_t shared[3]; /* pixels that share these bytes, across and down */
} formats[] = {
    [SCARLET_PIXELS_RGB] = {1, {3}, {1}},        [SCARLET_PIXELS_BGR] = {1, {3}, {1}},
    [SCARLET_PIXELS_RGBA] = {1, {4}, {1}},       [SCARLET_PIXELS_BGRA] = {1, {4}, {1}},
    [SCARLET_PIXELS_GRAY] = {1, {1}, {1}},       [SCARLET_PIXELS_NV12] = {2, {1, 2}, {1, 2}},
    [SCARLET_PIXELS_NV21] = {2, {1, 2}, {1, 2}}, [SCARLET_PIXELS_I420] = {3, {1, 1, 1}, {1, 2, 2}},
};

enum { FORMATS = sizeof formats / sizeof *formats };

/* ---- pictures of our own ---- */

/* From this size on the C library maps a block anew each time; then huge pages halve the time of
 * decoding: small ones are paid for one by one as the rows are written. */
enum { LARGE = 32 << 20 };

static uint8_t *pixels_alloc(size_t size)
{
    return size >= LARGE ? scarlet__pages_alloc(size) : scarlet__alloc(size, 1);
}

static void pixels_free(scarlet_image *image)
{
    size_t size = image->stride[0] * image->height;
    if (size >= LARGE)
        scarlet__pages_free(image->owned, size);
    else
        scarlet__free(image->owned);
}

scarlet_status scarlet__image_fits(const char *name, uint32_t width, uint32_t height,
                                   int64_t max_pixels, scarlet_error *err)
{
    if ((uint64_t)width * height <= (uint64_t)max_pixels)
        return SCARLET_OK;
    return scarlet__fail(err, SCARLET_ERROR_LIMIT,
                         "%s: %lu x %lu pixels, at most %lld in all are allowed "
                         "(option max_pixels)",
                         name, (unsigned long)width, (unsigned long)height, (long long)max_pixels);
}

scarlet_status scarlet__image_new(uint32_t width, uint32_t height, scarlet_image **out,
                                  scarlet_error *err)
{
    *out = NULL;
    size_t stride = 0, size;
    scarlet_image *image = scarlet__calloc(1, sizeof *image);
    if (image && !__builtin_mul_overflow((size_t)width, 3, &stride) &&
        !__builtin_mul_overflow(stride, (size_t)height, &size))
        image->owned = pixels_alloc(size);
    if (!image || !image->owned) {
        scarlet__free(image);
        return scarlet__fail_memory(err);
    }
    image->width = width;
    image->height = height;
    image->format = SCARLET_PIXELS_RGB;
    image->plane[0] = image->owned;
    image->stride[0] = stride;
    *out = image;
    return SCARLET_OK;
}

/* ---- wrapped pictures ---- */

static scarlet_status check_plane(unsigned index, const void *pixels, size_t stride, size_t bytes,
                                  uint32_t rows, scarlet_error *err)
{
    size_t total;
    if (!pixels)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "plane %u is NULL", index);
    if (stride < bytes)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "plane %u: a stride of %zu bytes is less than a row of %zu", index,
                             stride, bytes);
    if (__builtin_mul_overflow(stride, (size_t)rows, &total) || total > PTRDIFF_MAX)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "plane %u: %lu rows of %zu bytes are more than memory can hold", index,
                             (unsigned long)rows, stride);
    return SCARLET_OK;
}

static scarlet_status check_shape(uint32_t width, uint32_t height, scarlet_pixels format,
                                  scarlet_error *err)
{
    if ((unsigned)format >= FORMATS)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown pixel format %d", (int)format);
    if (width < 1 || width > INT32_MAX || height < 1 || height > INT32_MAX)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "a picture of %lu x %lu: width and height are 1 .. 2147483647",
                             (unsigned long)width, (unsigned long)height);
    if (formats[format].planes > 1 && (width % 2 || height % 2))
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "a picture of %lu x %lu: NV12, NV21 and I420 need even sizes",
                             (unsigned long)width, (unsigned long)height);
    return SCARLET_OK;
}

scarlet_status scarlet_image_wrap_planes(const void *const *planes, const size_t *strides,
                                         size_t count, uint32_t width, uint32_t height,
                                         scarlet_pixels format, scarlet_release_fn release,
                                         void *user, scarlet_image **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!planes || !strides)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             planes ? "strides" : "planes");
    scarlet_status status = check_shape(width, height, format, err);
    if (status != SCARLET_OK)
        return status;
    if (count != formats[format].planes)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%zu planes, the pixel format has %u",
                             count, formats[format].planes);
    for (unsigned i = 0; i < count; i++) {
        unsigned shared = formats[format].shared[i];
        size_t bytes;
        if (__builtin_mul_overflow((size_t)(width / shared), formats[format].bytes[i], &bytes))
            bytes = SIZE_MAX;
        /* At most 3 planes. NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
        status = check_plane(i, planes[i], strides[i], bytes, height / shared, err);
        if (status != SCARLET_OK)
            return status;
    }
    scarlet_image *image = scarlet__calloc(1, sizeof *image);
    if (!image)
        return scarlet__fail_memory(err);
    image->width = width;
    image->height = height;
    image->format = format;
    for (unsigned i = 0; i < count; i++) {
        image->plane[i] = planes[i];
        image->stride[i] = strides[i];
    }
    image->release = release;
    image->user = user;
    *out = image;
    return SCARLET_OK;
}

scarlet_status scarlet_image_wrap(const void *pixels, uint32_t width, uint32_t height,
                                  size_t stride, scarlet_pixels format, scarlet_release_fn release,
                                  void *user, scarlet_image **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    scarlet_status status = check_shape(width, height, format, err);
    if (status == SCARLET_OK)
        status = check_plane(0, pixels, stride, 0, height, err);
    if (status != SCARLET_OK)
        return status;
    const uint8_t *luma = pixels;
    const uint8_t *chroma = luma + stride * height;
    size_t half = stride / 2;
    if (format == SCARLET_PIXELS_I420 && stride % 2)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "a stride of %zu bytes: I420 planes that follow each other need "
                             "an even one",
                             stride);
    const void *planes[3] = {luma, chroma, chroma + half * (height / 2)};
    size_t strides[3] = {stride, format == SCARLET_PIXELS_I420 ? half : stride, half};
    return scarlet_image_wrap_planes(planes, strides, formats[format].planes, width, height, format,
                                     release, user, out, err);
}

/* ---- any picture ---- */

void scarlet_image_free(scarlet_image *image)
{
    if (!image)
        return;
    if (image->release)
        image->release(image->user, image->plane[0]);
    if (image->owned)
        pixels_free(image);
    scarlet__free(image);
}

const void *scarlet_image_pixels(const scarlet_image *image, uint32_t *width, uint32_t *height,
                                 size_t *stride, scarlet_pixels *format)
{
    if (width)
        *width = image ? image->width : 0;
    if (height)
        *height = image ? image->height : 0;
    if (stride)
        *stride = image ? image->stride[0] : 0;
    if (format)
        *format = image ? image->format : SCARLET_PIXELS_RGB;
    return image ? image->plane[0] : NULL;
}
