/* Text for scarlet_options_parse: all or nothing, and no value out of its bounds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "options/options.h"

enum { ROWS_MAX = 64 };

/* All options in force; *text receives them as text that may be parsed. Returns their number. */
static size_t values(const scarlet_options *opts, int64_t value[ROWS_MAX], char *text, size_t room)
{
    size_t i = 0, used = 0;
    scarlet_option key;
    const char *name;
    int64_t min, max, dflt;
    *text = '\0';
    for (; scarlet_option_describe(i, &key, &name, &min, &max, &dflt, NULL) == 0; i++) {
        MUST(i < ROWS_MAX && scarlet_options_get(opts, key, &value[i], NULL) == 0);
        MUST(value[i] == dflt || (value[i] >= min && value[i] <= max));
        if (value[i] < min)
            continue; /* not fixed */
        const char *named = scarlet_option_value_name(key, value[i]);
        char number[24];
        snprintf(number, sizeof number, "%" PRId64, value[i]);
        used +=
            (size_t)snprintf(text + used, room - used, " %s\t= %s ,", name, named ? named : number);
        MUST(used < room);
    }
    return i;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[4096];
    int64_t before[ROWS_MAX], after[ROWS_MAX], again[ROWS_MAX];
    float mean[3], std[3];
    scarlet_error err;
    char *input = malloc(size + 1);
    scarlet_options *opts = scarlet_options_create();
    MUST(input && opts);
    memcpy(input, data, size);
    input[size] = '\0';
    size_t rows = values(opts, before, text, sizeof text), bytes = rows * sizeof *before;
    scarlet_status status = scarlet_options_parse(opts, input, &err);
    values(opts, after, text, sizeof text);
    bool normalized = scarlet__option_normalization(opts, mean, std);
    if (status != SCARLET_OK) {
        MUST(status == SCARLET_ERROR_ARGUMENT && err.status == status && !normalized);
        MUST(memchr(err.message, '\0', sizeof err.message));
        MUST(memcmp(before, after, bytes) == 0);
    } else if (normalized) {
        MUST(scarlet_options_set_normalization(opts, mean, std, NULL) == SCARLET_OK);
    }
    scarlet_options_free(opts);
    /* What was set, written as text, sets the same. */
    opts = scarlet_options_create();
    MUST(opts && scarlet_options_parse(opts, text, NULL) == SCARLET_OK);
    values(opts, again, text, sizeof text);
    MUST(memcmp(after, again, bytes) == 0);
    scarlet_options_free(opts);
    free(input);
    return 0;
}
