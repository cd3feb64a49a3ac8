/*
 * Answers requests for pictures, for comparison with other programs. Many requests a process.
 *
 * Request, a line on stdin:  OPTIONS<TAB>COMMAND[<TAB>FIELD]...
 *   pixels PATH                          the decoded picture
 *   memory PATH                          the same, decoded from memory
 *   tensor PATH                          the preprocessed picture
 *   resize PATH WIDTH HEIGHT             the picture resized as a whole
 *   wrap PATH FORMAT WIDTH HEIGHT STRIDE OFFSET   raw bytes of a file, wrapped, preprocessed
 *   planes PATH FORMAT WIDTH HEIGHT (STRIDE OFFSET)...   the same, plane by plane
 *   probe PATH                           only the size
 * Answer on stdout, little-endian: int32 status, uint32 width, uint32 height, uint32 length, then
 * length bytes: RGB pixels, or float32 values (height 3), or the text of the error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scarlet/scarlet.h"

enum { FIELDS = 16 };

static char *field[FIELDS];
static size_t fields;

static void die(const char *what)
{
    fprintf(stderr, "dump: %s\n", what);
    exit(2);
}

static void split(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    fields = 0;
    for (char *p = line; p && fields < FIELDS; fields++) {
        field[fields] = p;
        p = strchr(p, '\t');
        if (p)
            *p++ = '\0';
    }
}

static uint32_t number(size_t i)
{
    if (i >= fields)
        die("a field is missing");
    return (uint32_t)strtoul(field[i], NULL, 10);
}

static void answer(scarlet_status status, uint32_t width, uint32_t height, const void *data,
                   size_t size)
{
    uint32_t head[4] = {(uint32_t)status, width, height, (uint32_t)size};
    if (fwrite(head, 1, sizeof head, stdout) != sizeof head ||
        fwrite(data, 1, size, stdout) != size || fflush(stdout) != 0)
        die("cannot write");
}

static void answer_error(const scarlet_error *err)
{
    answer((scarlet_status)err->status, 0, 0, err->message, strlen(err->message));
}

static void answer_pixels(const scarlet_image *image)
{
    uint32_t w, h;
    size_t stride;
    const uint8_t *pixels = scarlet_image_pixels(image, &w, &h, &stride, NULL);
    if (stride != (size_t)w * 3)
        die("a decoded picture has gaps");
    answer(SCARLET_OK, w, h, pixels, stride * h);
}

static void answer_tensor(const scarlet_image *image, const scarlet_options *opts)
{
    scarlet_error err = {0};
    int64_t crop = 0;
    scarlet_options_get(opts, SCARLET_OPT_CROP, &crop, NULL);
    if (crop == 0)
        crop = 224;
    size_t length = (size_t)(3 * crop * crop);
    float *out = malloc(length * sizeof *out);
    if (!out)
        die("out of memory");
    if (scarlet_preprocess(image, opts, out, length, &err) == SCARLET_OK)
        answer(SCARLET_OK, (uint32_t)(crop * crop), 3, out, length * sizeof *out);
    else
        answer_error(&err);
    free(out);
}

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        die(path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    /* Exactly as long as the file, so that a sanitizer sees every byte too many. */
    uint8_t *data = malloc(*size ? *size : 1);
    if (!data || fread(data, 1, *size, file) != *size)
        die(path);
    fclose(file);
    return data;
}

static void wrapped(const scarlet_options *opts, int planes)
{
    scarlet_error err = {0};
    scarlet_image *image = NULL;
    size_t size;
    uint8_t *data = read_file(field[2], &size);
    scarlet_pixels format = (scarlet_pixels)number(3);
    if (planes) {
        const void *plane[4];
        size_t stride[4], n = (fields - 6) / 2;
        for (size_t i = 0; i < n && i < 4; i++) {
            stride[i] = number(6 + 2 * i);
            plane[i] = data + number(7 + 2 * i);
        }
        scarlet_image_wrap_planes(plane, stride, n, number(4), number(5), format, NULL, NULL,
                                  &image, &err);
    } else {
        scarlet_image_wrap(data + number(7), number(4), number(5), number(6), format, NULL, NULL,
                           &image, &err);
    }
    if (image)
        answer_tensor(image, opts);
    else
        answer_error(&err);
    scarlet_image_free(image);
    free(data);
}

static void probe(void)
{
    scarlet_error err = {0};
    uint32_t w, h;
    size_t size;
    uint8_t *data = read_file(field[2], &size);
    if (scarlet_image_probe(data, size, &w, &h, &err) == SCARLET_OK)
        answer(SCARLET_OK, w, h, "", 0);
    else
        answer_error(&err);
    free(data);
}

static void decoded(const scarlet_options *opts)
{
    scarlet_error err = {0};
    scarlet_image *image = NULL, *resized = NULL;
    int memory = strcmp(field[1], "memory") == 0;
    if (memory) {
        size_t size;
        uint8_t *data = read_file(field[2], &size);
        scarlet_image_decode(data, size, opts, &image, &err);
        free(data);
    } else {
        scarlet_image_load(field[2], opts, &image, &err);
    }
    if (!image) {
        answer_error(&err);
    } else if (memory || strcmp(field[1], "pixels") == 0) {
        answer_pixels(image);
    } else if (strcmp(field[1], "tensor") == 0) {
        answer_tensor(image, opts);
    } else if (strcmp(field[1], "resize") == 0) {
        if (scarlet_image_resize(image, number(3), number(4), SCARLET_FILTER_BILINEAR, &resized,
                                 &err) == SCARLET_OK)
            answer_pixels(resized);
        else
            answer_error(&err);
    } else {
        die("unknown command");
    }
    scarlet_image_free(image);
    scarlet_image_free(resized);
}

int main(void)
{
    static char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        split(line);
        if (fields < 3)
            die("a request has at least three fields");
        scarlet_error err = {0};
        scarlet_options *opts = scarlet_options_create();
        if (scarlet_options_parse(opts, field[0], &err) != SCARLET_OK)
            answer_error(&err);
        else if (strcmp(field[1], "wrap") == 0)
            wrapped(opts, 0);
        else if (strcmp(field[1], "planes") == 0)
            wrapped(opts, 1);
        else if (strcmp(field[1], "probe") == 0)
            probe();
        else
            decoded(opts);
        scarlet_options_free(opts);
    }
    return 0;
}
