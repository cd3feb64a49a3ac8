/* What torch's two file formats share: storages found by key, and the state dict. */
#ifndef SCARLET_FORMATS_STATE_DICT_H
#define SCARLET_FORMATS_STATE_DICT_H

#include "formats/pickle.h"

/* Fills in pickle->by_key and checks that references to one storage agree. */
scarlet_status scarlet__storages_index(scarlet__pickle *pickle, const scarlet__source *source,
                                       scarlet_error *err);

/* The state dict within what a pickle holds. */
typedef struct scarlet__state_dict {
    const scarlet__items *entries; /* name, tensor, name, tensor ... */
    size_t names;                  /* bytes of all names */
    const char *where;             /* for messages */
} scarlet__state_dict;

/* Finds it, checks that its entries are tensors, marks their storages as wanted, and says in
 * tensors->taken where it was. */
scarlet_status scarlet__state_dict_find(const scarlet__pickle *pickle, scarlet__tensors *tensors,
                                        scarlet__state_dict *out, scarlet_error *err);

/* Makes its entries the tensors of *tensors. The offsets of the wanted storages must be set, and
 * they be within the file. */
scarlet_status scarlet__state_dict_read(const scarlet__state_dict *dict, scarlet__tensors *tensors,
                                        scarlet_error *err);

enum { SCARLET__OWNER_SIZE = 112 };
/* "tensor NAME: " for a message about a storage, of the first tensor that is in it; "" if none of
 * the state dict is. */
const char *scarlet__storage_owner(const scarlet__state_dict *dict, const char *key,
                                   char text[SCARLET__OWNER_SIZE]);

#endif
