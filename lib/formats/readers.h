/* The readers behind scarlet__tensors_open: one a file format. */
#ifndef SCARLET_FORMATS_READERS_H
#define SCARLET_FORMATS_READERS_H

#include "formats/tensors.h"

/* Each fills in everything of a zeroed *tensors but by_name, whose `source` is set. What it has
 * filled in when it fails is freed by scarlet__tensors_free. */
scarlet_status scarlet__safetensors_read(scarlet__tensors *tensors, scarlet_error *err);
scarlet_status scarlet__torch_zip_read(scarlet__tensors *tensors, scarlet_error *err);
scarlet_status scarlet__torch_legacy_read(scarlet__tensors *tensors, scarlet_error *err);

#endif
