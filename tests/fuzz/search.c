/* The journal of a search: what is read is found again, and the file can be continued. */
#include <string.h>

#include "fuzz.h"
#include "search_journal.h"

static void go_on(void *user)
{
    const char *path = user;
    candidate known = {.genotype = (char *)(uintptr_t) "e3k3,id"};
    search_journal *j = journal_open(path, "space", 1, true);
    if (!journal_find(j, &known))
        journal_add(j, &known);
    journal_close(j);
    candidate again = {.genotype = known.genotype};
    j = journal_open(path, "space", 1, true);
    MUST(journal_find(j, &again));
    for (int i = 0; i < FIGURES; i++)
        MUST(memcmp(&again.figure[i], &known.figure[i], sizeof known.figure[i]) == 0);
    MUST(again.statistics == known.statistics);
    journal_close(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    trap_run(go_on, (void *)(uintptr_t)fuzz_file(0, data, size));
    return 0;
}
