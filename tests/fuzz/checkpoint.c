/* A whole checkpoint of any kind: its directory, then the last values of each tensor. */
#include <stdlib.h>

#include "formats/tensors.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 4096 };
    static double value[MOST];
    scarlet_error err;
    scarlet__source source;
    scarlet__tensors *tensors;
    scarlet__source_memory(data, size, &source);
    if (scarlet__tensors_open(&source, 1 << 24, &tensors, &err) != SCARLET_OK)
        return 0;
    for (size_t i = 0; i < tensors->count; i++) {
        const scarlet__tensor *tensor = &tensors->tensor[i];
        size_t count = tensor->count < MOST ? (size_t)tensor->count : MOST;
        if (scarlet__tensors_find(tensors, tensor->name) != tensor ||
            scarlet__tensor_read_f64(tensors, tensor, tensor->count - count, count, value, &err) !=
                SCARLET_OK)
            abort(); /* memory cannot shrink: what was opened can be read */
    }
    scarlet__tensors_free(tensors);
    return 0;
}
