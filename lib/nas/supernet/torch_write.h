/* Writing a state dict that torch.load reads: a zip archive of stored records, one of them a pickle
 * of protocol 2. */
#ifndef SCARLET_NAS_SUPERNET_TORCH_WRITE_H
#define SCARLET_NAS_SUPERNET_TORCH_WRITE_H

#include "formats/safetensors_write.h"

/*
 * As scarlet__safetensors_put: the entries in their order, of F16, F32 or I64; metadata have no
 * place in such a file. PyTorch's batch norm counts batches, so a num_batches_tracked of 0 follows
 * each running_var. `elements` is called twice for each element. LIMIT: 4 GiB or more.
 */
scarlet_status scarlet__torch_put(scarlet__output *output, const char *name,
                                  const scarlet__contents *contents, scarlet_error *err);

#endif
