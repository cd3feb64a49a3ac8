/* The pictures of a dataset, decoded when they are needed and kept as far as the cache goes. Any
 * thread may take one at any time. */
#ifndef SCARLET_NAS_DATA_PICTURES_H
#define SCARLET_NAS_DATA_PICTURES_H

#include "nas/data/dataset.h"

typedef struct scarlet__pictures scarlet__pictures;

/* decoding: picture options, which become the object's own, also on failure. cache_bytes: most that
 * the pixels of kept pictures may take. The dataset must outlive the object. */
scarlet_status scarlet__pictures_create(const scarlet_dataset *dataset, scarlet_options *decoding,
                                        uint64_t cache_bytes, scarlet__pictures **out,
                                        scarlet_error *err);
void scarlet__pictures_free(scarlet__pictures *pictures);

/* Takes picture `index` of the dataset; to be given back. One that cannot be read is noted as
 * broken, with the reason; MEMORY is not its fault. */
scarlet_status scarlet__pictures_take(scarlet__pictures *pictures, size_t index,
                                      const scarlet_image **out, scarlet_error *err);
void scarlet__pictures_give_back(scarlet__pictures *pictures, size_t index,
                                 const scarlet_image *image);

/* Bytes of pixels kept by now. */
uint64_t scarlet__pictures_cached(const scarlet__pictures *pictures);
/* Broken pictures of a part so far. */
size_t scarlet__pictures_broken_count(scarlet__pictures *pictures, scarlet_part part);
/* The broken picture number `i`; false past the last. Texts live as long as `pictures`. */
bool scarlet__pictures_broken(scarlet__pictures *pictures, size_t i, size_t *index,
                              const char **message);
/* An error if more than one in twenty of a part is broken. */
scarlet_status scarlet__pictures_check(scarlet__pictures *pictures, scarlet_part part,
                                       scarlet_error *err);

#endif
