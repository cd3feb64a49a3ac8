/* A table of latencies: what is accepted predicts networks of its space. Once more with an
 * allocation that fails. */
#include <string.h>

#include "fuzz.h"
#include "scarlet/nas.h"

static void use(const scarlet_latency *latency)
{
    const char *text = strstr(scarlet_latency_describe(latency), "space ");
    MUST(text);
    char genotype[SCARLET_GENOTYPE_SIZE] = "e3k3";
    int64_t nanos = -1;
    scarlet_error err;
    scarlet_status status = scarlet_latency_predict(latency, genotype, &nanos, &err);
    MUST(status == SCARLET_OK ? nanos >= 0 : status == SCARLET_ERROR_ARGUMENT);
    MUST(scarlet_latency_time(latency, genotype, &nanos, &err) == SCARLET_ERROR_ARGUMENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ALLOCATIONS = 12 };
    scarlet_latency *latency;
    scarlet_error err;
    scarlet_status status = scarlet_latency_load(fuzz_file(0, data, size), &latency, &err);
    MUST((status == SCARLET_OK) == (latency != NULL));
    MUST(latency || (err.status == status && memchr(err.message, '\0', sizeof err.message)));
    if (latency)
        use(latency);
    scarlet_latency_free(latency);
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = scarlet_latency_load(fuzz_file(0, data, size), &latency, NULL);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    fuzz_starve(0);
    scarlet_latency_free(latency);
    return 0;
}
