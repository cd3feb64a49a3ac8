/* The pickle machine by itself. Once more with an allocation that fails. */
#include "formats/pickle.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ALLOCATIONS = 16 };
    scarlet_error err;
    scarlet__source source;
    scarlet__pickle pickle;
    scarlet__source_memory(data, size, &source);
    scarlet_status status = scarlet__pickle_load(&source, 0, size, &pickle, &err);
    scarlet__pickle_free(&pickle);
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = scarlet__pickle_load(&source, 0, size, &pickle, &err);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    scarlet__pickle_free(&pickle);
    fuzz_starve(0);
    return 0;
}
