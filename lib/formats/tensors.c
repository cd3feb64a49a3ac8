#include "formats/tensors.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"

void scarlet__tensors_free(scarlet__tensors *tensors)
{
    if (!tensors)
        return;
    scarlet__free(tensors->tensor);
    scarlet__names_free(&tensors->by_name);
    scarlet__free(tensors->key);
    scarlet__free(tensors->value);
    scarlet__free(tensors->owned);
    scarlet__free(tensors->renamed);
    scarlet__free((void *)tensors->unpacked.memory);
    if (tensors->fetched)
        scarlet__free(tensors->fetched->bytes);
    scarlet__free(tensors->fetched);
    scarlet__free(tensors);
}

/* ---- looking up ---- */

const scarlet__tensor *scarlet__tensors_find(const scarlet__tensors *tensors, const char *name)
{
    size_t place;
    return scarlet__names_find(&tensors->by_name, name, &place)
               ? &tensors->tensor[tensors->by_name.order[place]]
               : NULL;
}

const char *scarlet__tensors_metadata(const scarlet__tensors *tensors, const char *key)
{
    for (size_t i = 0; i < tensors->metadata_count; i++)
        if (strcmp(tensors->key[i], key) == 0)
            return tensors->value[i];
    return NULL;
}

void scarlet__shape_text(const scarlet__tensor *tensor, char *text, size_t room)
{
    size_t used = (size_t)snprintf(text, room, "[");
    for (int i = 0; i < tensor->rank && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%lld", i ? ", " : "",
                                 (long long)tensor->shape[i]);
    if (used < room)
        snprintf(text + used, room - used, "]");
}

/* ---- reading values ---- */

bool scarlet__tensor_contiguous(const scarlet__tensor *tensor)
{
    uint64_t stride = 1; /* cannot wrap: it divides count */
    for (int i = tensor->rank; i-- > 0 && tensor->count;) {
        if (tensor->shape[i] != 1 && (uint64_t)tensor->stride[i] != stride)
            return false;
        stride *= (uint64_t)tensor->shape[i];
    }
    return true;
}

/* Steps through the elements of a view in row-major order. */
typedef struct {
    const scarlet__tensor *tensor;
    int64_t index[SCARLET__RANK_MAX];
    uint64_t at; /* elements from the view's first */
} walk;

static walk walk_from(const scarlet__tensor *tensor, uint64_t first)
{
    walk w = {.tensor = tensor};
    for (int i = tensor->rank; i-- > 0;) {
        w.index[i] = (int64_t)(first % (uint64_t)tensor->shape[i]);
        first /= (uint64_t)tensor->shape[i];
        w.at += (uint64_t)w.index[i] * (uint64_t)tensor->stride[i];
    }
    return w;
}

static void walk_on(walk *w)
{
    for (int i = w->tensor->rank; i-- > 0;) {
        w->at += (uint64_t)w->tensor->stride[i];
        if (++w->index[i] < w->tensor->shape[i])
            return;
        w->at -= (uint64_t)w->index[i] * (uint64_t)w->tensor->stride[i];
        w->index[i] = 0;
    }
}

/* Bytes from the view's first element to the end of its last: no more than its storage has. */
static uint64_t span(const scarlet__tensor *tensor)
{
    uint64_t elements = 1;
    for (int i = 0; i < tensor->rank; i++)
        elements += (uint64_t)(tensor->shape[i] - 1) * (uint64_t)tensor->stride[i];
    return elements * scarlet__dtype_size(tensor->dtype);
}

/* Where the elements of one call come from and go to. */
typedef struct {
    const scarlet__tensors *tensors;
    const scarlet__tensor *tensor;
    double *f64; /* either */
    float *f32;  /* or */
    scarlet_error *err;
} job;

static void convert(job *j, const scarlet__piece *piece, size_t count)
{
    if (j->f64) {
        scarlet__dtype_to_f64(j->tensor->dtype, piece, count, j->f64);
        j->f64 += count;
    } else {
        scarlet__dtype_to_f32(j->tensor->dtype, piece, count, j->f32);
        j->f32 += count;
    }
}

static scarlet_status read_contiguous(job *j, uint64_t first, size_t count)
{
    size_t size = scarlet__dtype_size(j->tensor->dtype), most = SCARLET__PIECE / size;
    uint64_t offset = j->tensor->offset + first * size;
    if (j->f32 && j->tensor->dtype == SCARLET__F32)
        return scarlet__source_read(j->tensors->source, offset, j->f32, count * size, j->err);
    scarlet__piece piece;
    while (count) {
        size_t n = count < most ? count : most;
        scarlet_status status =
            scarlet__source_read(j->tensors->source, offset, piece.u8, n * size, j->err);
        if (status != SCARLET_OK)
            return status;
        convert(j, &piece, n);
        offset += n * size;
        count -= n;
    }
    return SCARLET_OK;
}

/* `block` is the whole view as the file has it, or NULL: then elements are fetched one by one. */
static scarlet_status gather(job *j, const uint8_t *block, uint64_t first, size_t count)
{
    size_t size = scarlet__dtype_size(j->tensor->dtype), most = SCARLET__PIECE / size;
    walk w = walk_from(j->tensor, first);
    scarlet__piece piece;
    while (count) {
        size_t n = count < most ? count : most;
        for (size_t i = 0; i < n; i++, walk_on(&w)) {
            if (block) {
                memcpy(piece.u8 + i * size, block + w.at * size, size);
                continue;
            }
            scarlet_status status =
                scarlet__source_read(j->tensors->source, j->tensor->offset + w.at * size,
                                     piece.u8 + i * size, size, j->err);
            if (status != SCARLET_OK)
                return status;
        }
        convert(j, &piece, n);
        count -= n;
    }
    return SCARLET_OK;
}

/* Makes the view the one that is fetched. */
static scarlet_status fetch(job *j, size_t bytes)
{
    struct scarlet__fetched *fetched = j->tensors->fetched;
    if (fetched->tensor == j->tensor)
        return SCARLET_OK;
    scarlet__free(fetched->bytes);
    *fetched = (struct scarlet__fetched){.bytes = scarlet__alloc(bytes, 1)};
    if (!fetched->bytes)
        return scarlet__fail_memory(j->err);
    scarlet_status status =
        scarlet__source_read(j->tensors->source, j->tensor->offset, fetched->bytes, bytes, j->err);
    if (status == SCARLET_OK)
        fetched->tensor = j->tensor;
    return status;
}

/* A transposed view is fetched in one block, a sparse one element by element: so neither memory nor
 * time goes far beyond the tensor's own size. */
static scarlet_status read_view(job *j, uint64_t first, size_t count)
{
    uint64_t bytes = span(j->tensor);
    if (bytes / 2 > j->tensor->count * scarlet__dtype_size(j->tensor->dtype))
        return gather(j, NULL, first, count);
    if (bytes > SIZE_MAX)
        return scarlet__fail_memory(j->err);
    scarlet_status status = fetch(j, (size_t)bytes);
    return status == SCARLET_OK ? gather(j, j->tensors->fetched->bytes, first, count) : status;
}

static scarlet_status read_values(job j, uint64_t first, size_t count)
{
    if (first > j.tensor->count || count > j.tensor->count - first)
        return scarlet__fail(j.err, SCARLET_ERROR_INTERNAL, "%s: tensor %s: read beyond its end",
                             j.tensors->source->name, j.tensor->name);
    if (count == 0)
        return SCARLET_OK;
    return scarlet__tensor_contiguous(j.tensor) ? read_contiguous(&j, first, count)
                                                : read_view(&j, first, count);
}

scarlet_status scarlet__tensor_read_f64(const scarlet__tensors *tensors,
                                        const scarlet__tensor *tensor, uint64_t first, size_t count,
                                        double *out, scarlet_error *err)
{
    return read_values((job){.tensors = tensors, .tensor = tensor, .f64 = out, .err = err}, first,
                       count);
}

scarlet_status scarlet__tensor_read_f32(const scarlet__tensors *tensors,
                                        const scarlet__tensor *tensor, uint64_t first, size_t count,
                                        float *out, scarlet_error *err)
{
    return read_values((job){.tensors = tensors, .tensor = tensor, .f32 = out, .err = err}, first,
                       count);
}
