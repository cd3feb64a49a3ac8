/* A file of class names. Once more with an allocation that fails. */
#include <string.h>

#include "fuzz.h"
#include "scarlet/scarlet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ALLOCATIONS = 5 };
    scarlet_labels *labels;
    scarlet_error err;
    scarlet_status status = scarlet_labels_load(fuzz_file(0, data, size), &labels, &err);
    MUST((status == SCARLET_OK) == (labels != NULL));
    MUST(labels || (err.status == status && memchr(err.message, '\0', sizeof err.message)));
    size_t count = scarlet_labels_count(labels), length = 0;
    MUST((count > 0) == (labels != NULL));
    for (size_t i = 0; i < count; i++) {
        const char *name = scarlet_labels_get(labels, (int32_t)i);
        MUST(name && *name && !strpbrk(name, "\r\n\t"));
        length += strlen(name);
    }
    MUST(length <= size && !scarlet_labels_get(labels, (int32_t)count));
    scarlet_labels_free(labels);
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = scarlet_labels_load(fuzz_file(0, data, size), &labels, NULL);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    fuzz_starve(0);
    scarlet_labels_free(labels);
    return 0;
}
