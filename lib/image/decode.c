/* From a file or its bytes to a picture. */
#include "common/error.h"
#include "common/host.h"
#include "image/image.h"
#include "image/preprocess.h"
#include "options/options.h"

/* decode=fast keeps this many times the side that the resize needs: what the decoder's scaling
 * makes of the finest detail is then averaged away. */
enum { FAST_MARGIN = 2 };

static scarlet_status decode(const scarlet__source *source, const scarlet_options *opts,
                             scarlet_image **out, scarlet_error *err)
{
    uint8_t head[SCARLET__HEAD];
    size_t size = source->size < sizeof head ? (size_t)source->size : sizeof head;
    scarlet__picture_kind kind;
    scarlet_status status = scarlet__source_read(source, 0, head, size, err);
    if (status == SCARLET_OK)
        status = scarlet__picture_sniff(source->name, head, size, &kind, err);
    if (status != SCARLET_OK)
        return status;

    scarlet__decoding how = {.max_pixels = scarlet__option(opts, SCARLET_OPT_MAX_PIXELS)};
    if (scarlet__option(opts, SCARLET_OPT_DECODE) == SCARLET_DECODE_FAST)
        how.side = FAST_MARGIN * scarlet__resize_option(opts);
    int orientation = 0;
    int *wanted = scarlet__option(opts, SCARLET_OPT_AUTO_ORIENT) ? &orientation : NULL;
    status = kind == SCARLET__JPEG ? scarlet__jpeg_decode(source, &how, wanted, out, err)
                                   : scarlet__png_decode(source, &how, wanted, out, err);
    if (status == SCARLET_OK && orientation > 1)
        status = scarlet__image_turn(out, orientation, err);
    return status;
}

scarlet_status scarlet_image_load(const char *path, const scarlet_options *opts,
                                  scarlet_image **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "path is NULL");
    scarlet__host host = scarlet__host_enter();
    scarlet__source source;
    scarlet_status status = scarlet__source_open(path, &source, err);
    if (status == SCARLET_OK) {
        status = decode(&source, opts, out, err);
        scarlet__source_close(&source);
    }
    scarlet__host_leave(&host);
    return status;
}

scarlet_status scarlet_image_decode(const void *data, size_t size, const scarlet_options *opts,
                                    scarlet_image **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!data)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "data is NULL");
    scarlet__source source;
    scarlet__source_memory(data, size, &source);
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = decode(&source, opts, out, err);
    scarlet__host_leave(&host);
    return status;
}
