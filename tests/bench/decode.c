/*
 * Exact preprocessing of a JPEG file beside libjpeg-turbo's bare decoding of it to RGB rows.
 *
 *   decode FILE      prints both in milliseconds: minima of 300 runs in turns, one thread
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jpeglib.h>

#include <scarlet/scarlet.h>

enum { RUNS = 300, CROP = 224 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void bare(const unsigned char *data, size_t size, unsigned char *row)
{
    struct jpeg_error_mgr errors;
    struct jpeg_decompress_struct d;
    d.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, data, size);
    jpeg_read_header(&d, TRUE);
    d.out_color_space = JCS_RGB;
    jpeg_start_decompress(&d);
    while (d.output_scanline < d.output_height)
        jpeg_read_scanlines(&d, &row, 1);
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
}

static int exact(const unsigned char *data, size_t size, float *out)
{
    scarlet_image *image;
    int failed = scarlet_image_decode(data, size, NULL, &image, NULL) ||
                 scarlet_preprocess(image, NULL, out, 3 * CROP * CROP, NULL);
    scarlet_image_free(image);
    return failed;
}

int main(int argc, char **argv)
{
    static unsigned char data[1 << 24], row[3 * 65500];
    static float out[3 * CROP * CROP];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    size_t size = file ? fread(data, 1, sizeof data, file) : 0;
    if (size == 0 || size == sizeof data) {
        fprintf(stderr, "decode FILE: no such file, an empty one or more than 16 MB\n");
        return 1;
    }
    double best[2] = {1e9, 1e9};
    for (int i = 0; i < RUNS; i++) {
        double start = now();
        bare(data, size, row);
        double between = now();
        if (exact(data, size, out))
            return 1;
        double end = now();
        best[0] = between - start < best[0] ? between - start : best[0];
        best[1] = end - between < best[1] ? end - between : best[1];
    }
    printf("%.3f %.3f\n", best[0], best[1]);
    return 0;
}
