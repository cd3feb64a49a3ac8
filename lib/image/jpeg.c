/*
 * JPEG by libjpeg-turbo, with its defaults and the block feeding of the reference (Pillow).
 *
 * Known differences: arithmetic coded files of more than one block load, which Pillow cannot feed,
 * and files with less EXIF data than their head; files of more than SCANS_MAX scans are refused. As
 * in Pillow 9, XMP does not turn a JPEG; in later versions it does.
 */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "common/error.h"
#include "common/memory.h"
#include "image/image.h"

enum {
    BLOCK = 65536,   /* bytes handed over at a time: what follows the picture is seen as far as the
                        block in which it ends, as in the reference */
    SCANS_MAX = 500, /* a few bytes are a scan over a whole picture: bounds the work */
    ROWS = 16
};

typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr feed;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const scarlet__source *source;
    uint64_t next; /* place in the file of the next block */
    bool created;  /* libjpeg has found that its structures have the sizes that it expects */
    bool complete; /* all rows are there */
    scarlet_image *image;
    uint8_t *line;         /* a CMYK row */
    scarlet_status status; /* why `escape` was taken; OK: nothing more is needed */
    scarlet_error *err;
    uint8_t block[BLOCK];
} decoder;

/* ---- callbacks ---- */

static scarlet_status kind_of(int message)
{
    switch (message) {
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED:
        return SCARLET_ERROR_UNSUPPORTED;
    default:
        return SCARLET_ERROR_CORRUPT;
    }
}

static _Noreturn void escape(decoder *d, scarlet_status status)
{
    d->status = status;
    longjmp(d->escape, 1);
}

static _Noreturn void on_error(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    int message = jpeg->err->msg_code;
    if (message == JERR_OUT_OF_MEMORY)
        escape(d, scarlet__fail_memory(d->err));
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    if (!d->created) /* message codes are different ones there */
        escape(d,
               scarlet__fail(d->err, SCARLET_ERROR_UNSUPPORTED,
                             "libjpeg is not of the kind this library was built with: %s", text));
    scarlet_status status = kind_of(message);
    escape(d, scarlet__fail(d->err, status, "%s: %s JPEG: %s", d->source->name,
                            status == SCARLET_ERROR_UNSUPPORTED ? "unsupported" : "damaged", text));
}

static void on_message(j_common_ptr jpeg)
{
    (void)jpeg; /* libjpeg would print it */
}

/* Warnings and traces. A patched-up picture is the reference's result, but for one oddity: it
 * refuses the marker TEM in front of the picture. */
static void on_warning(j_common_ptr jpeg, int level)
{
    decoder *d = jpeg->client_data;
    (void)level;
    if (!d->image && jpeg->err->msg_code == JTRC_PARMLESS_MARKER && jpeg->err->msg_parm.i[0] == 1)
        escape(d,
               scarlet__fail(d->err, SCARLET_ERROR_CORRUPT,
                             "%s: damaged JPEG: marker 0x01 before the picture", d->source->name));
}

static void on_progress(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    if (d->jpeg.input_scan_number > SCANS_MAX)
        escape(d, scarlet__fail(d->err, SCARLET_ERROR_LIMIT, "%s: JPEG of more than %d scans",
                                d->source->name, SCANS_MAX));
}

static void on_source(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

/* The next block. (libjpeg's next_input_byte is stale here: the place is ours to remember.) */
static boolean on_empty(j_decompress_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    if (d->complete)
        escape(d, SCARLET_OK);
    if (d->next >= d->source->size)
        escape(d, scarlet__fail(
                      d->err, SCARLET_ERROR_CORRUPT,
                      "%s: cut short: the JPEG ends at byte %llu, before the end of the picture",
                      d->source->name, (unsigned long long)d->source->size));
    uint64_t left = d->source->size - d->next;
    size_t size = BLOCK - (size_t)(d->next % BLOCK);
    if (size > left)
        size = (size_t)left;
    scarlet_status status = scarlet__source_read(d->source, d->next, d->block, size, d->err);
    if (status != SCARLET_OK)
        escape(d, status);
    d->next += size;
    d->feed.next_input_byte = d->block;
    d->feed.bytes_in_buffer = size;
    return TRUE;
}

static void on_skip(j_decompress_ptr jpeg, long count)
{
    decoder *d = jpeg->client_data;
    size_t wanted = count > 0 ? (size_t)count : 0;
    size_t here = wanted < d->feed.bytes_in_buffer ? wanted : d->feed.bytes_in_buffer;
    d->feed.next_input_byte += here;
    d->feed.bytes_in_buffer -= here;
    d->next += wanted - here; /* segments are under 64 KB: cannot wrap */
}

/* ---- decoding ---- */

static void rgb_from_inverted_cmyk(const uint8_t *in, uint32_t width, uint8_t *out)
{
    for (uint32_t x = 0; x < width; x++, in += 4, out += 3) {
        int white = in[3]; /* the file's K, inverted once, then 255 - K */
        for (int c = 0; c < 3; c++) {
            int t = (255 - in[c]) * white + 128;
            int v = white - ((t + (t >> 8)) >> 8);
            out[c] = (uint8_t)(v < 0 ? 0 : v);
        }
    }
}

/* 0 if there is none. The reference takes the first block of EXIF data. */
static int find_orientation(const struct jpeg_decompress_struct *jpeg)
{
    static const uint8_t exif[] = {'E', 'x', 'i', 'f', 0, 0};
    for (jpeg_saved_marker_ptr m = jpeg->marker_list; m; m = m->next)
        if (m->data_length >= sizeof exif && memcmp(m->data, exif, sizeof exif) == 0)
            return scarlet__exif_orientation(m->data + sizeof exif, m->data_length - sizeof exif);
    return 0;
}

/* The smallest of 1/1, 1/2, 1/4, 1/8 at which the short side is at least `side` pixels; the decoder
 * makes it of the lowest frequencies of each 8 x 8 block. */
static void choose_scale(struct jpeg_decompress_struct *jpeg, uint32_t side)
{
    enum { MOST = 8 };
    uint32_t s = jpeg->image_width < jpeg->image_height ? jpeg->image_width : jpeg->image_height;
    jpeg->scale_num = jpeg->scale_denom = 1;
    while (jpeg->scale_denom < MOST && s / (2 * jpeg->scale_denom) >= side)
        jpeg->scale_denom *= 2;
}

static scarlet_status decode(decoder *d, const scarlet__decoding *how, int *orientation)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    if (setjmp(d->escape))
        return d->status;

    jpeg->err = jpeg_std_error(&d->errors);
    d->errors.error_exit = on_error;
    d->errors.output_message = on_message;
    d->errors.emit_message = on_warning;
    jpeg->client_data = d;
    jpeg_create_decompress(jpeg);
    d->created = true;
    d->feed = (struct jpeg_source_mgr){.init_source = on_source,
                                       .fill_input_buffer = on_empty,
                                       .skip_input_data = on_skip,
                                       .resync_to_restart = jpeg_resync_to_restart,
                                       .term_source = on_source};
    jpeg->src = &d->feed;
    d->progress.progress_monitor = on_progress;
    jpeg->progress = &d->progress;
    if (orientation)
        jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xFFFF);

    while (jpeg_read_header(jpeg, FALSE) == JPEG_HEADER_TABLES_ONLY) {
    }
    if (jpeg->num_components != 1 && jpeg->num_components != 3 && jpeg->num_components != 4)
        escape(d, scarlet__fail(d->err, SCARLET_ERROR_UNSUPPORTED,
                                "%s: unsupported JPEG: %d components, not 1, 3 or 4",
                                d->source->name, jpeg->num_components));
    scarlet_status status = scarlet__image_fits(d->source->name, jpeg->image_width,
                                                jpeg->image_height, how->max_pixels, d->err);
    if (status == SCARLET_OK) {
        if (how->side)
            choose_scale(jpeg, how->side);
        jpeg_calc_output_dimensions(jpeg);
        status = scarlet__image_new(jpeg->output_width, jpeg->output_height, &d->image, d->err);
    }
    if (status != SCARLET_OK)
        return status;
    if (orientation)
        *orientation = find_orientation(jpeg);

    size_t stride = d->image->stride[0];
    if (jpeg->num_components == 4) {
        jpeg->out_color_space = JCS_CMYK;
        d->line = scarlet__alloc(jpeg->output_width, 4);
        if (!d->line)
            return scarlet__fail_memory(d->err);
        jpeg_start_decompress(jpeg);
        while (jpeg->output_scanline < jpeg->output_height) {
            uint8_t *out = d->image->owned + jpeg->output_scanline * stride;
            jpeg_read_scanlines(jpeg, &d->line, 1);
            rgb_from_inverted_cmyk(d->line, jpeg->output_width, out);
        }
    } else {
        jpeg->out_color_space = JCS_RGB; /* grey is replicated */
        jpeg_start_decompress(jpeg);
        while (jpeg->output_scanline < jpeg->output_height) {
            uint32_t left = jpeg->output_height - jpeg->output_scanline;
            JSAMPROW rows[ROWS];
            for (uint32_t i = 0; i < ROWS && i < left; i++)
                rows[i] = d->image->owned + (jpeg->output_scanline + i) * stride;
            jpeg_read_scanlines(jpeg, rows, left < ROWS ? left : ROWS);
        }
    }
    d->complete = true;
    jpeg_finish_decompress(jpeg);
    return SCARLET_OK;
}

scarlet_status scarlet__jpeg_decode(const scarlet__source *source, const scarlet__decoding *how,
                                    int *orientation, scarlet_image **out, scarlet_error *err)
{
    *out = NULL;
    decoder *d = scarlet__alloc(1, sizeof *d);
    if (!d)
        return scarlet__fail_memory(err);
    memset(d, 0, offsetof(decoder, block));
    d->source = source;
    d->err = err;
    scarlet_status status = decode(d, how, orientation);
    jpeg_destroy_decompress(&d->jpeg);
    if (status == SCARLET_OK)
        *out = d->image;
    else
        scarlet_image_free(d->image);
    scarlet__free(d->line);
    scarlet__free(d);
    return status;
}
