/* A pair of IDX files; the first two bytes say how long the first one is. Once more with an
 * allocation that fails. */
#include <string.h>

#include "fuzz.h"
#include "scarlet/nas.h"

static scarlet_status add(const uint8_t *data, size_t size, scarlet_dataset *d, scarlet_error *err)
{
    size_t head = size < 2 ? size : 2, first = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];
    first = first < size - head ? first : size - head;
    const char *images = fuzz_file(0, data + head, first);
    const char *labels = fuzz_file(1, data + head + first, size - head - first);
    return scarlet_dataset_add_idx(d, images, labels, SCARLET_PART_TRAIN, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { CLASSES = 10, ALLOCATIONS = 24 };
    scarlet_dataset *d;
    scarlet_error err;
    MUST(scarlet_dataset_create(CLASSES, NULL, &d, NULL) == SCARLET_OK);
    scarlet_status status = add(data, size, d, &err);
    size_t count = scarlet_dataset_count(d);
    MUST(status == SCARLET_OK ||
         (count == 0 && err.status == status && memchr(err.message, '\0', sizeof err.message)));
    int32_t label;
    for (size_t i = 0; i < count; i++)
        MUST(scarlet_dataset_get(d, i, &label, NULL, NULL) == SCARLET_OK && label >= 0 &&
             label < CLASSES);
    uint64_t hash;
    MUST(scarlet_dataset_hash(d, &hash, NULL) == SCARLET_OK); /* reads every pixel */
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = add(data, size, d, NULL);
    fuzz_starve(0);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    MUST(scarlet_dataset_count(d) == (starved == SCARLET_OK ? 2 * count : count));
    scarlet_dataset_free(d);
    return 0;
}
