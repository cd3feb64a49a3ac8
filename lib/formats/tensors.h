/*
 * Named tensors of a checkpoint, whatever its format. Knows nothing of networks. Values are read
 * when asked for, a piece at a time. Every message begins with the source's name.
 */
#ifndef SCARLET_FORMATS_TENSORS_H
#define SCARLET_FORMATS_TENSORS_H

#include <stdbool.h>

#include "common/io.h"
#include "formats/dtype.h"
#include "formats/names.h"

enum { SCARLET__RANK_MAX = 8 };

typedef struct scarlet__tensor {
    const char *name;   /* UTF-8, NUL-terminated; may hold anything a file's author likes */
    const char *stored; /* the name in the file, which messages use; see scarlet__tensors_rename */
    scarlet__dtype dtype;
    int rank;
    int64_t shape[SCARLET__RANK_MAX];
    int64_t stride[SCARLET__RANK_MAX]; /* in elements, >= 0 */
    uint64_t offset;                   /* of the first element, bytes from the file's start */
    uint64_t count;                    /* number of elements: the product of the shape */
} scarlet__tensor;

/* The view that was read last, as the file has it. */
typedef struct scarlet__fetched {
    const scarlet__tensor *tensor; /* NULL: none */
    uint8_t *bytes;
} scarlet__fetched;

typedef struct scarlet__tensors {
    const scarlet__source *source;
    uint64_t max_bytes; /* of all tensors */
    int file_kind;      /* SCARLET_FILE_* */
    char taken[48];     /* of a torch file: where in it they were, as scarlet_model_weights_key */
    scarlet__tensor *tensor; /* in the file's order */
    size_t count;
    char **key, **value; /* metadata of a safetensors file, in the file's order */
    size_t metadata_count;
    scarlet__names by_name;   /* of `tensor` */
    void *owned, *renamed;    /* what the above points into */
    scarlet__source unpacked; /* what `source` is then: the records of a compressed archive */
    scarlet__fetched *fetched;
} scarlet__tensors;

void scarlet__tensors_free(scarlet__tensors *tensors);

/* NULL if there is none of this name. O(log count). */
const scarlet__tensor *scarlet__tensors_find(const scarlet__tensors *tensors, const char *name);
/* NULL if there is none. */
const char *scarlet__tensors_metadata(const scarlet__tensors *tensors, const char *key);

/* Reads elements first .. first+count-1 in row-major order of the shape, widened to double or
 * converted to float (exactly for F32, F16, BF16; rounded for F64). Any dtype. One thread at a
 * time: a view that is not contiguous is fetched whole and kept until the next. */
scarlet_status scarlet__tensor_read_f64(const scarlet__tensors *tensors,
                                        const scarlet__tensor *tensor, uint64_t first, size_t count,
                                        double *out, scarlet_error *err);
scarlet_status scarlet__tensor_read_f32(const scarlet__tensors *tensors,
                                        const scarlet__tensor *tensor, uint64_t first, size_t count,
                                        float *out, scarlet_error *err);

/* Whether the elements follow each other in the file without gaps. */
bool scarlet__tensor_contiguous(const scarlet__tensor *tensor);

/* "[120, 1, 7, 7]" for messages; always terminated. */
void scarlet__shape_text(const scarlet__tensor *tensor, char *text, size_t room);

#endif
