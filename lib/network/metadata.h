/* What a safetensors file's metadata says of a classifier (keys scarlet.*), and all other keys. */
#ifndef SCARLET_NETWORK_METADATA_H
#define SCARLET_NETWORK_METADATA_H

#include "formats/json.h"
#include "formats/tensors.h"
#include "network/network.h"

typedef struct scarlet__metadata {
    size_t count; /* all keys and values, copied, in the file's order */
    char **key, **value;
    scarlet__names by_key;
    size_t label_count;
    const char **label;
    int input_size; /* pixels; 0: not said */
    int resize;     /* pixels; 0: not said */
    bool has_mean, has_std, has_auto_orient;
    float mean[3], std[3];
    bool auto_orient; /* pictures are turned by their EXIF orientation */
} scarlet__metadata;

/* Reads and checks what scarlet__network_find has not; a known key that is malformed or does not
 * fit the network is CORRUPT, naming the key. Free with scarlet__metadata_free, also after a
 * failure. */
scarlet_status scarlet__metadata_read(const scarlet__tensors *tensors,
                                      const scarlet__network *network, scarlet__metadata *out,
                                      scarlet_error *err);
void scarlet__metadata_free(scarlet__metadata *metadata);

/* Metadata as a file has it. */
typedef struct scarlet__metadata_text {
    const char **key, **value; /* in the order in which they are written */
    size_t count;
    scarlet__text labels; /* values that were made */
    char input_size[16], resize[16], mean[64], std[64];
} scarlet__metadata_text;

/* The reverse of reading: all that `base` holds, and what `changes` says in its place (0 and NULL
 * say nothing). The text points into both. Free with scarlet__metadata_text_free, also after a
 * failure, which is MEMORY. */
scarlet_status scarlet__metadata_write(const scarlet__metadata *base,
                                       const scarlet__metadata *changes,
                                       scarlet__metadata_text *out, scarlet_error *err);
void scarlet__metadata_text_free(scarlet__metadata_text *text);

/* The file's mean and std, ImageNet's where it has none. */
void scarlet__metadata_normalization(const scarlet__metadata *metadata, float mean[3],
                                     float std[3]);
/* The file's resize, in proportion to its input size, for an input of `side` pixels; 0: it has
 * none.
 */
int scarlet__metadata_resize(const scarlet__metadata *metadata, int side);
/* NULL if absent. */
const char *scarlet__metadata_get(const scarlet__metadata *metadata, const char *key);

#endif
