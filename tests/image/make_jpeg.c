/*
 * Makes JPEG files of kinds that Pillow cannot write. Many requests a process.
 *
 * Request, a line on stdin, then the samples, interleaved:
 *   WIDTH HEIGHT SPACE SAMPLING QUALITY RESTART FLAGS
 *
 *   SPACE     grey (samples: one a pixel), ycc or rgb (RGB), cmyk or ycck (CMYK)
 *   SAMPLING  a pair of digits HV for each component: 22,11,11
 *   RESTART   interval in MCUs, 0 for none
 *   FLAGS     letters, - for none: p progressive, m a scan for each component, o optimised,
 *             a arithmetic coding, A no Adobe marker, J no JFIF marker, t tables in a stream of
 *             their own before the picture's
 *
 * Answer: uint32 length, then the file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

static void die(const char *what)
{
    fprintf(stderr, "make_jpeg: %s\n", what);
    exit(2);
}

static void setup(struct jpeg_compress_struct *c, const char *space, const char *sampling,
                  int quality, int restart, const char *flags)
{
    static jpeg_scan_info scans[4];
    J_COLOR_SPACE target = strcmp(space, "grey") == 0   ? JCS_GRAYSCALE
                           : strcmp(space, "ycc") == 0  ? JCS_YCbCr
                           : strcmp(space, "rgb") == 0  ? JCS_RGB
                           : strcmp(space, "cmyk") == 0 ? JCS_CMYK
                                                        : JCS_YCCK;
    c->in_color_space = target == JCS_CMYK || target == JCS_YCCK ? JCS_CMYK
                        : target == JCS_GRAYSCALE                ? JCS_GRAYSCALE
                                                                 : JCS_RGB;
    c->input_components = c->in_color_space == JCS_CMYK ? 4 : c->in_color_space == JCS_RGB ? 3 : 1;
    jpeg_set_defaults(c);
    jpeg_set_colorspace(c, target);
    jpeg_set_quality(c, quality, FALSE);
    for (int i = 0; i < c->num_components && sampling[0] && sampling[1]; i++) {
        c->comp_info[i].h_samp_factor = sampling[0] - '0';
        c->comp_info[i].v_samp_factor = sampling[1] - '0';
        sampling += sampling[2] ? 3 : 2;
    }
    c->restart_interval = (unsigned)restart;
    if (strchr(flags, 'p'))
        jpeg_simple_progression(c);
    if (strchr(flags, 'm')) {
        for (int i = 0; i < c->num_components; i++)
            scans[i] =
                (jpeg_scan_info){.comps_in_scan = 1, .component_index = {i}, .Ss = 0, .Se = 63};
        c->scan_info = scans;
        c->num_scans = c->num_components;
    }
    c->optimize_coding = strchr(flags, 'o') != NULL;
    c->arith_code = strchr(flags, 'a') != NULL;
    if (strchr(flags, 'A'))
        c->write_Adobe_marker = FALSE;
    if (strchr(flags, 'J'))
        c->write_JFIF_header = FALSE;
}

int main(void)
{
    char line[256], space[16], sampling[32], flags[32];
    struct jpeg_error_mgr errors; /* the default one: prints and exits, which is right here */
    struct jpeg_compress_struct c = {.err = jpeg_std_error(&errors)};
    errors.trace_level = -1; /* tables too coarse for baseline are meant */
    jpeg_create_compress(&c);
    while (fgets(line, sizeof line, stdin)) {
        unsigned width, height;
        int quality, restart;
        if (sscanf(line, "%u %u %15s %31s %d %d %31s", &width, &height, space, sampling, &quality,
                   &restart, flags) != 7)
            die("bad request");
        unsigned char *part[2] = {NULL, NULL};
        unsigned long size[2] = {0, 0};
        c.image_width = width;
        c.image_height = height;
        setup(&c, space, sampling, quality, restart, flags);
        int parts = strchr(flags, 't') ? 1 : 0;
        if (parts) {
            jpeg_mem_dest(&c, &part[0], &size[0]);
            jpeg_write_tables(&c);
        }
        jpeg_mem_dest(&c, &part[1], &size[1]);
        jpeg_start_compress(&c, !parts);
        size_t row = (size_t)width * (size_t)c.input_components;
        unsigned char *samples = malloc(row);
        while (samples && c.next_scanline < height) {
            if (fread(samples, 1, row, stdin) != row)
                die("samples are missing");
            jpeg_write_scanlines(&c, &samples, 1);
        }
        jpeg_finish_compress(&c);
        uint32_t length = (uint32_t)(size[0] + size[1]);
        if (fwrite(&length, 1, 4, stdout) != 4 ||
            (size[0] && fwrite(part[0], 1, size[0], stdout) != size[0]) ||
            (size[1] && fwrite(part[1], 1, size[1], stdout) != size[1]) || fflush(stdout) != 0)
            die("cannot write");
        free(samples);
        free(part[0]);
        free(part[1]);
    }
    jpeg_destroy_compress(&c);
    return 0;
}
