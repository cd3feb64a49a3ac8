#include "network/store.h"

#include <math.h>

#include "common/error.h"

typedef struct {
    const scarlet__store *store;
    const char *name;
} job;

static scarlet_status elements(void *user, size_t index, uint64_t first, size_t count, void *out,
                               scarlet_error *err)
{
    const job *j = user;
    const scarlet__store *s = j->store;
    if (s->entry[index].dtype == SCARLET__F32)
        return s->read(s->user, index, first, count, out, err);
    float value[SCARLET__PIECE / sizeof(uint16_t)];
    uint16_t *half = out;
    scarlet_status status = s->read(s->user, index, first, count, value, err);
    for (size_t i = 0; i < count && status == SCARLET_OK; i++) {
        half[i] = scarlet__f32_to_f16(value[i]);
        if (isinf(scarlet__f16_to_f32(half[i])) && !isinf(value[i]))
            status = scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                                   "%s: tensor %s: the value of element %llu does not fit F16",
                                   j->name, s->entry[index].name, (unsigned long long)first + i);
    }
    return status;
}

scarlet_status scarlet__store_put(const scarlet__store *s, scarlet__output *output,
                                  const char *name, scarlet_error *err)
{
    /* Batch norm and biases stay f32: a running_var of 1e-8 would become 0, one above 65504
     * infinite. */
    for (size_t i = 0; i < s->count; i++)
        s->entry[i].dtype = s->half && s->entry[i].rank >= 2 ? SCARLET__F16 : SCARLET__F32;
    job j = {s, name};
    const scarlet__contents contents = {.key = s->metadata->key,
                                        .value = s->metadata->value,
                                        .metadata_count = s->metadata->count,
                                        .entry = s->entry,
                                        .count = s->count,
                                        .elements = elements,
                                        .user = &j};
    return (s->put ? s->put : scarlet__safetensors_put)(output, name, &contents, err);
}
