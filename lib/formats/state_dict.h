/* What torch's two file formats share: storages found by key, and the state dict. */
#ifndef SCARLET_FORMATS_STATE_DICT_H
#define SCARLET_FORMATS_STATE_DICT_H

#include "formats/pickle.h"

/* Fills in pickle->by_key and checks that references to one storage agree. */
scarlet_status scarlet__storages_index(scarlet__pickle *pickle, const scarlet__source *source,
                                       scarlet_error *err);

/* Finds the state dict in what a pickle holds and makes its entries the tensors of *tensors. The
 * storages' offsets must be set, and the storages be within the file. */
scarlet_status scarlet__state_dict_read(const scarlet__pickle *pickle, scarlet__tensors *tensors,
                                        scarlet_error *err);

#endif
