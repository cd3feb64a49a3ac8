/* Picture to network input, with memory that is kept between pictures. */
#ifndef SCARLET_IMAGE_PREPROCESS_H
#define SCARLET_IMAGE_PREPROCESS_H

#include "scarlet/scarlet.h"

typedef struct scarlet__preprocessor scarlet__preprocessor;

/* NULL if out of memory. */
scarlet__preprocessor *scarlet__preprocessor_create(void);
void scarlet__preprocessor_free(scarlet__preprocessor *p);
/* Memory held by now. */
size_t scarlet__preprocessor_bytes(const scarlet__preprocessor *p);

/* The short side that a crop is cut from if nobody says: 256 for 224. */
uint32_t scarlet__default_resize(uint32_t crop);
/* The same as scarlet_preprocess takes it from the options. */
uint32_t scarlet__resize_option(const scarlet_options *opts);

/*
 * Resizes the short side to `resize`, cuts crop x crop from the centre (zeros where the picture is
 * smaller), normalises: 3 * crop * crop floats, layout is SCARLET_LAYOUT_*. resize is 1 .. 8192,
 * crop 1 .. 4096. Allocates only for a size larger than all before; fails only with MEMORY, after
 * which it can be used again.
 */
scarlet_status scarlet__preprocessor_run(scarlet__preprocessor *p, const scarlet_image *image,
                                         uint32_t resize, uint32_t crop, const float mean[3],
                                         const float std[3], int layout, float *out,
                                         scarlet_error *err);

#endif
