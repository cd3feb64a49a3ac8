/* The pickle machine alone. */
#include "formats/pickle.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scarlet_error err;
    scarlet__source source;
    scarlet__pickle pickle;
    scarlet__source_memory(data, size, &source);
    scarlet__pickle_load(&source, 0, size, &pickle, &err);
    scarlet__pickle_free(&pickle);
    return 0;
}
