/* The text of a space: what is accepted can be printed, read again and sampled. Once more with an
 * allocation that fails. */
#include <string.h>

#include "fuzz.h"
#include "scarlet/nas.h"

static void use(const scarlet_space *space)
{
    scarlet_space *again;
    scarlet_error err;
    MUST(scarlet_space_parse(scarlet_space_text(space), &again, &err) == SCARLET_OK);
    MUST(strcmp(scarlet_space_text(space), scarlet_space_text(again)) == 0);
    int32_t layers = scarlet_space_get(space, SCARLET_SPACE_LAYERS);
    int32_t terms = scarlet_space_get(space, SCARLET_SPACE_TERMS);
    MUST(layers >= 1 && terms >= 1 && terms <= 1 + 12 * layers);
    for (int sampling = SCARLET_SAMPLING_UNIFORM; sampling <= SCARLET_SAMPLING_SMALL; sampling++) {
        char genotype[SCARLET_GENOTYPE_SIZE];
        int64_t macs, parameters;
        MUST(scarlet_space_sample(space, (scarlet_sampling)sampling, 1, 2, genotype, &err) ==
             SCARLET_OK);
        MUST(scarlet_space_costs(again, genotype, &macs, &parameters, &err) == SCARLET_OK);
        MUST(macs > 0 && parameters > 0);
    }
    scarlet_space_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ALLOCATIONS = 9 };
    scarlet_space *space;
    scarlet_error err;
    scarlet_status status = scarlet_space_load(fuzz_file(0, data, size), &space, &err);
    MUST((status == SCARLET_OK) == (space != NULL));
    MUST(space || (err.status == status && memchr(err.message, '\0', sizeof err.message)));
    if (space)
        use(space);
    scarlet_space_free(space);
    fuzz_starve(fuzz_pick(data, size, ALLOCATIONS));
    scarlet_status starved = scarlet_space_load(fuzz_file(0, data, size), &space, NULL);
    MUST(starved == status || starved == SCARLET_ERROR_MEMORY);
    fuzz_starve(0);
    scarlet_space_free(space);
    return 0;
}
