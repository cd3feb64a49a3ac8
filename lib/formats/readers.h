/* The readers that scarlet__tensors_open calls, one for each file format. */
#ifndef SCARLET_FORMATS_READERS_H
#define SCARLET_FORMATS_READERS_H

#include "formats/tensors.h"

/* Each fills in all of *tensors but by_name; it is zeroed but for `source`. What is there after a
 * failure, scarlet__tensors_free frees. */
scarlet_status scarlet__safetensors_read(scarlet__tensors *tensors, scarlet_error *err);
scarlet_status scarlet__torch_zip_read(scarlet__tensors *tensors, scarlet_error *err);
scarlet_status scarlet__torch_legacy_read(scarlet__tensors *tensors, scarlet_error *err);

#endif
