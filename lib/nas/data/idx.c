/* IDX files, the format of MNIST: big-endian head, then bytes; plain or compressed by gzip. */
#include <zlib.h>

#include "common/error.h"
#include "common/host.h"
#include "common/io.h"
#include "common/memory.h"
#include "nas/data/dataset.h"

enum {
    MAGIC_BYTES = 0x0800, /* unsigned bytes; the number of dimensions is added */
    DIMENSIONS_MAX = 3,
    LIMIT = 1 << 30
};

typedef struct {
    uint8_t *data; /* owned */
    size_t size;
    uint32_t dimension[DIMENSIONS_MAX];
    const uint8_t *values; /* within data */
} idx;

static uint32_t big(const uint8_t *p)
{
    /* Called where there are four bytes at least. NOLINTNEXTLINE(clang-analyzer-core.*) */
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static scarlet_status damaged(const char *path, scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: damaged gzip data", path);
}

/* Replaces the compressed bytes by what they hold. */
static scarlet_status inflate_all(const char *path, idx *file, scarlet_error *err)
{
    z_stream z = {.next_in = file->data, .avail_in = (uInt)file->size};
    if (inflateInit2(&z, 15 + 16) != Z_OK) /* + 16: with a gzip head */
        return scarlet__fail_memory(err);
    uint8_t *out = NULL;
    size_t room = 0;
    int result = Z_OK;
    scarlet_status status = SCARLET_OK;
    while (status == SCARLET_OK && result == Z_OK) {
        size_t done = z.total_out;
        if (done == room) {
            size_t wanted = room ? 2 * room : 1 << 16;
            uint8_t *grown = room < LIMIT ? scarlet__realloc(out, wanted, 1) : NULL;
            if (!grown) {
                status = room < LIMIT ? scarlet__fail_memory(err)
                                      : scarlet__fail(err, SCARLET_ERROR_LIMIT,
                                                      "%s: holds more than %d bytes", path, LIMIT);
                break;
            }
            out = grown;
            room = wanted;
        }
        z.next_out = out + done;
        z.avail_out = (uInt)(room - done);
        result = inflate(&z, Z_NO_FLUSH);
        if (result == Z_BUF_ERROR || (result == Z_OK && z.avail_in == 0 && z.avail_out > 0))
            result = Z_DATA_ERROR; /* the file ends early */
    }
    if (status == SCARLET_OK && result != Z_STREAM_END)
        status = result == Z_MEM_ERROR ? scarlet__fail_memory(err) : damaged(path, err);
    scarlet__free(file->data);
    file->data = out;
    file->size = z.total_out;
    inflateEnd(&z);
    return status;
}

static scarlet_status parse(const char *path, unsigned dimensions, idx *file, scarlet_error *err)
{
    size_t head = 4 + 4 * (size_t)dimensions, expected = 1;
    if (file->size < 4 || big(file->data) >> 8 != MAGIC_BYTES >> 8)
        return scarlet__fail(err, SCARLET_ERROR_FORMAT, "%s: not an IDX file of bytes", path);
    if (file->data[3] != dimensions || file->size < head)
        return scarlet__fail(err, SCARLET_ERROR_FORMAT,
                             "%s: an IDX file of %u dimensions; expected %u", path,
                             (unsigned)file->data[3], dimensions);
    for (unsigned i = 0; i < dimensions; i++) {
        file->dimension[i] = big(file->data + 4 + 4 * i);
        if (__builtin_mul_overflow(expected, (size_t)file->dimension[i], &expected))
            expected = SIZE_MAX;
    }
    if (file->size - head != expected)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "%s: %zu bytes of data, the head promises %zu", path,
                             file->size - head, expected);
    file->values = file->data + head;
    return SCARLET_OK;
}

static scarlet_status read_idx(const char *path, unsigned dimensions, idx *file, scarlet_error *err)
{
    scarlet__source source;
    scarlet_status status = scarlet__source_open(path, &source, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet__source_read_all(&source, LIMIT, &file->data, &file->size, err);
    scarlet__source_close(&source);
    if (status == SCARLET_OK && file->size >= 2 && file->data[0] == 0x1f && file->data[1] == 0x8b)
        status = inflate_all(path, file, err);
    return status == SCARLET_OK ? parse(path, dimensions, file, err) : status;
}

static scarlet_status add_all(scarlet_dataset *d, const char *labels_path, const idx *images,
                              const idx *labels, scarlet_part part, scarlet_error *err)
{
    uint32_t height = images->dimension[1], width = images->dimension[2];
    for (uint32_t i = 0; i < images->dimension[0]; i++) {
        if (labels->values[i] >= d->classes)
            return scarlet__fail(err, SCARLET_ERROR_MODEL,
                                 "%s: label %u of picture %lu: %d classes", labels_path,
                                 (unsigned)labels->values[i], (unsigned long)i, (int)d->classes);
        scarlet_image *image;
        scarlet_status status =
            scarlet_image_wrap(images->values + (size_t)i * width * height, width, height, width,
                               SCARLET_PIXELS_GRAY, NULL, NULL, &image, err);
        if (status == SCARLET_OK) {
            status = scarlet_dataset_add_image(d, image, labels->values[i], part, err);
            if (status != SCARLET_OK)
                scarlet_image_free(image);
        }
        if (status != SCARLET_OK)
            return status;
    }
    return SCARLET_OK;
}

static scarlet_status add(scarlet_dataset *d, const char *images_path, const char *labels_path,
                          scarlet_part part, scarlet_error *err)
{
    idx images = {0}, labels = {0};
    size_t before = d->count;
    scarlet_status status = read_idx(images_path, 3, &images, err);
    if (status == SCARLET_OK)
        status = read_idx(labels_path, 1, &labels, err);
    if (status == SCARLET_OK && images.dimension[0] != labels.dimension[0])
        status = scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: %lu labels for %lu pictures",
                               labels_path, (unsigned long)labels.dimension[0],
                               (unsigned long)images.dimension[0]);
    if (status == SCARLET_OK && !scarlet__grow((void **)&d->block, &d->block_capacity, d->blocks,
                                               sizeof *d->block, SIZE_MAX))
        status = scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = add_all(d, labels_path, &images, &labels, part, err);
    if (status == SCARLET_OK) {
        d->block[d->blocks++] = images.data;
    } else {
        while (d->count > before)
            scarlet_image_free(d->sample[--d->count].image);
        scarlet__free(images.data);
    }
    scarlet__free(labels.data);
    return status;
}

scarlet_status scarlet_dataset_add_idx(scarlet_dataset *d, const char *images, const char *labels,
                                       scarlet_part part, scarlet_error *err)
{
    if (!d || !images || !labels)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !d       ? "dataset"
                             : images ? "labels"
                                      : "images");
    if ((unsigned)part >= SCARLET__PARTS)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown part %d", (int)part);
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = add(d, images, labels, part, err);
    scarlet__host_leave(&host);
    return status;
}
