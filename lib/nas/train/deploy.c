/* From the network being trained to a model file that libscarlet loads. */
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "nas/train/run.h"
#include "network/store.h"

static scarlet_status read_values(void *user, size_t index, uint64_t first, size_t count,
                                  float *out, scarlet_error *err)
{
    (void)err;
    scarlet__trainer_read(user, SCARLET__AVERAGE, index, (int64_t)first, count, out);
    return SCARLET_OK;
}

scarlet_status scarlet__deploy(const scarlet_trainer *t, scarlet__output *output, const char *name,
                               scarlet_error *err)
{
    size_t count = scarlet__trainer_tensors(t->trainer);
    scarlet__entry *entry = scarlet__calloc(count, sizeof *entry);
    if (!entry)
        return scarlet__fail_memory(err);
    for (size_t i = 0; i < count; i++) {
        scarlet__trainer_tensor tensor = scarlet__trainer_describe(t->trainer, i);
        entry[i].name = tensor.name;
        entry[i].rank = tensor.rank;
        memcpy(entry[i].shape, tensor.shape, sizeof tensor.shape);
    }
    const scarlet__store store = {
        .metadata = &t->metadata,
        .entry = entry,
        .count = count,
        .half = scarlet__train_number(t->options, SCARLET_TRAIN_STORAGE) == SCARLET_STORAGE_F16,
        .read = read_values,
        .user = t->trainer,
    };
    scarlet_status status = scarlet__store_put(&store, output, name, err);
    scarlet__free(entry);
    return status;
}
