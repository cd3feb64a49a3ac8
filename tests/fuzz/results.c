/*
 * What an earlier run of `scarlet verify` left: results to merge and the journal to go on with. The
 * last byte of an input chooses: bit 0, one model or two; bit 1, two parts, the second
 * after a NUL byte, or the same; bit 2, a journal;
 * bit 3, one that shall not be there.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "pictures/inputs.h"
#include "verify/journal.h"
#include "verify/merge.h"
#include "verify/report.h"

typedef struct {
    const char *path, *second, *head;
    bool two, journal, fresh;
} results;

static void read_journal(const results *in)
{
    journal *j = journal_open(in->path, in->head, !in->fresh);
    size_t records = journal_records(j);
    record r;
    while (journal_read(j, &r, TOP, in->two)) {
        MUST(records-- > 0 && r.file && r.label >= NO_LABEL);
        journal_add(j, &r, TOP, in->two);
    }
    MUST(records == 0);
    journal_close(j);
}

static void read_results(void *user)
{
    const results *in = user;
    if (in->journal) {
        read_journal(in);
        return;
    }
    char *paths[] = {(char *)(uintptr_t)in->path, (char *)(uintptr_t)in->second};
    const cli_names no_names = {0};
    result r;
    result_merge(&r, paths, in->second ? 2 : 1);
    result_print(&r, true, stdout);
    result_json(&r, NULL, stdout);
    output_file page = {.file = fopen("/dev/null", "wb"), .path = "/dev/null"};
    report_write(&page, &r, &no_names, NULL, NULL);
    result_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    unsigned choice = data[--size];
    const uint8_t *zero = choice & 2 ? memchr(data, '\0', size) : NULL;
    size_t first = zero ? (size_t)(zero - data) : size;
    results in = {fuzz_file(0, data, first), NULL, "{}", choice & 1, choice & 4, choice & 8};
    if (choice & 2)
        in.second = zero ? fuzz_file(1, zero + 1, size - first - 1) : in.path;
    trap_run(read_results, &in);
    return 0;
}
