/* Checkpoints of other projects: read as they are, and from then on like files of our own. */
#ifndef SCARLET_NETWORK_FOREIGN_H
#define SCARLET_NETWORK_FOREIGN_H

#include "formats/tensors.h"

/* Where names and shapes are those of a network in the table of architectures, gives the tensors
 * our names, and adds the metadata that a file of ours would have; otherwise does nothing.
 * Errors: MEMORY. */
scarlet_status scarlet__foreign_adopt(scarlet__tensors *tensors, scarlet_error *err);

#endif
