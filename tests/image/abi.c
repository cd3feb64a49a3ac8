/*
 * Codecs of another binary interface than the one the library was built with: not the file's fault.
 *
 *   abi PNG
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

#include "scarlet/scarlet.h"
#include "test.h"

/* In place of the codecs' own: the caller claims another version, or another size. */
static int version_off;
static size_t size_off;
static const char *png_version;

void jpeg_CreateDecompress(j_decompress_ptr jpeg, int version, size_t size)
{
    ((__typeof__(&jpeg_CreateDecompress))(uintptr_t)dlsym(RTLD_NEXT, "jpeg_CreateDecompress"))(
        jpeg, version + version_off, size + size_off);
}

png_structp png_create_read_struct_2(const char *version, void *error, png_error_ptr on_error,
                                     png_error_ptr on_warning, void *memory, png_malloc_ptr take,
                                     png_free_ptr give)
{
    return ((__typeof__(&png_create_read_struct_2))(uintptr_t)dlsym(
        RTLD_NEXT, "png_create_read_struct_2"))(png_version ? png_version : version, error,
                                                on_error, on_warning, memory, take, give);
}

/* Decodes a file in memory; it is refused with a text that begins so, or not at all (NULL). */
static void decodes(const void *data, size_t size, const char *refusal)
{
    scarlet_image *image = NULL;
    scarlet_error err = {0};
    scarlet_status status = scarlet_image_decode(data, size, NULL, &image, &err);
    CHECK(status == (refusal ? SCARLET_ERROR_UNSUPPORTED : SCARLET_OK));
    CHECK(!image == !!refusal);
    if (refusal && !CHECK(strncmp(err.message, refusal, strlen(refusal)) == 0))
        fprintf(stderr, "    found: %s\n", err.message);
    scarlet_image_free(image);
}

static unsigned char *make_jpeg(size_t *size)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    unsigned char *out = NULL, pixel[3] = {200, 100, 50};
    unsigned long length = 0;
    JSAMPROW row = pixel;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &out, &length);
    c.image_width = c.image_height = 1;
    c.input_components = 3;
    c.in_color_space = JCS_RGB;
    jpeg_set_defaults(&c);
    jpeg_start_compress(&c, TRUE);
    jpeg_write_scanlines(&c, &row, 1);
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    *size = length;
    return out;
}

int main(int argc, char **argv)
{
    static const char refused[] = "libjpeg is not of the kind this library was built with: ";
    static unsigned char png[1 << 16];
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    if (!f)
        return 2;
    size_t jpeg_size, png_size = fread(png, 1, sizeof png, f);
    fclose(f);
    unsigned char *jpeg = make_jpeg(&jpeg_size);

    decodes(jpeg, jpeg_size, NULL);
    version_off = 18;
    decodes(jpeg, jpeg_size, refused);
    version_off = 0;
    size_off = 8;
    decodes(jpeg, jpeg_size, refused);
    size_off = 0;
    decodes(jpeg, jpeg_size, NULL);

    decodes(png, png_size, NULL);
    png_version = "1.2.54";
    decodes(png, png_size, "libpng 1.");
    png_version = NULL;
    decodes(png, png_size, NULL);
    free(jpeg);
    return test_result();
}
