#include "options/options.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/decimal.h"
#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"

static const struct {
    scarlet_option key;
    const char *name;
    int64_t min, max, dflt;
    const char *help;
} table[] = {
#define OPTION(key, name, min, max, dflt, help) {key, name, min, max, dflt, help},
#include "options/option_table.h"
};

static const struct {
    scarlet_option key;
    int64_t value;
    const char *name;
} names[] = {
#define VALUE(key, value, name) {key, value, name},
#include "options/option_table.h"
};

enum { ROWS = sizeof table / sizeof *table, NAMES = sizeof names / sizeof *names };

struct scarlet_options {
    int64_t value[ROWS];
    bool set[ROWS];
    bool normalization;
    float mean[3], std[3];
    scarlet_log_fn log;
    void *log_user;
    int32_t log_level;
};

/* ROWS if there is none. */
static size_t find(scarlet_option key)
{
    size_t i = 0;
    while (i < ROWS && table[i].key != key)
        i++;
    return i;
}

scarlet_options *scarlet_options_create(void)
{
    return scarlet__calloc(1, sizeof(scarlet_options));
}

void scarlet_options_free(scarlet_options *opts)
{
    scarlet__free(opts);
}

static scarlet_status set(scarlet_options *opts, size_t i, int64_t value, scarlet_error *err)
{
    if (value < table[i].min || value > table[i].max)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "option %s: %lld is not between %lld and %lld", table[i].name,
                             (long long)value, (long long)table[i].min, (long long)table[i].max);
    opts->value[i] = value;
    opts->set[i] = true;
    return SCARLET_OK;
}

scarlet_status scarlet_options_set(scarlet_options *opts, scarlet_option key, int64_t value,
                                   scarlet_error *err)
{
    if (!opts)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "opts is NULL");
    size_t i = find(key);
    if (i == ROWS)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown option key %d", (int)key);
    return set(opts, i, value, err);
}

scarlet_status scarlet_options_get(const scarlet_options *opts, scarlet_option key, int64_t *value,
                                   scarlet_error *err)
{
    if (!value)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "value is NULL");
    if (find(key) == ROWS)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown option key %d", (int)key);
    *value = scarlet__option(opts, key);
    return SCARLET_OK;
}

int64_t scarlet__option(const scarlet_options *opts, scarlet_option key)
{
    size_t i = find(key);
    return opts && opts->set[i] ? opts->value[i] : table[i].dflt;
}

bool scarlet__option_set(const scarlet_options *opts, scarlet_option key, int64_t *value)
{
    size_t i = find(key);
    if (!opts || !opts->set[i])
        return false;
    if (value)
        *value = opts->value[i];
    return true;
}

/* ---- normalization ---- */

static bool usable(const float mean[3], const float std[3])
{
    for (int c = 0; c < 3; c++) /* written so that NaN fails */
        if (!(mean[c] >= -FLT_MAX && mean[c] <= FLT_MAX && std[c] > 0 && std[c] <= FLT_MAX))
            return false;
    return true;
}

scarlet_status scarlet_options_set_normalization(scarlet_options *opts, const float mean[3],
                                                 const float std[3], scarlet_error *err)
{
    if (!opts || !mean || !std)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !opts   ? "opts"
                             : !mean ? "mean"
                                     : "std");
    scarlet__host host = scarlet__host_enter();
    bool ok = usable(mean, std);
    scarlet__host_leave(&host);
    if (!ok)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "normalization: mean must be finite and std finite and above 0");
    memcpy(opts->mean, mean, sizeof opts->mean);
    memcpy(opts->std, std, sizeof opts->std);
    opts->normalization = true;
    return SCARLET_OK;
}

bool scarlet__option_normalization(const scarlet_options *opts, float mean[3], float std[3])
{
    if (!opts || !opts->normalization)
        return false;
    memcpy(mean, opts->mean, sizeof opts->mean);
    memcpy(std, opts->std, sizeof opts->std);
    return true;
}

/* ---- text ---- */

static bool parse_integer(const char *text, size_t length, int64_t *value)
{
    size_t i = length && text[0] == '-';
    int64_t v = 0;
    if (i == length)
        return false;
    for (; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, text[i] - '0', &v))
            return false;
    }
    *value = text[0] == '-' ? -v : v;
    return true;
}

static bool equal(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

/* Value called text; -1 if none is. `known` receives "a, b, c" (empty: values have no names). */
static int64_t named(scarlet_option key, const char *text, size_t length, char *known, size_t room)
{
    size_t used = 0;
    *known = '\0';
    for (size_t i = 0; i < NAMES; i++) {
        if (names[i].key != key)
            continue;
        if (equal(names[i].name, text, length))
            return names[i].value;
        if (used < room)
            used += (size_t)snprintf(known + used, room - used, "%s%s", used ? ", " : "",
                                     names[i].name);
    }
    return -1;
}

static void trim(const char **text, size_t *length)
{
    while (*length && (**text == ' ' || **text == '\t'))
        ++*text, --*length;
    while (*length && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
        --*length;
}

/* Three numbers, or one for all. */
static bool parse_triple(const char *text, size_t length, float out[3])
{
    double v[3];
    size_t count = scarlet__parse_decimals(text, length, v);
    if (count != 1 && count != 3)
        return false;
    for (size_t c = 0; c < 3; c++)
        out[c] = (float)v[count == 1 ? 0 : c];
    return true;
}

/* Length of the first "name=value" of text: what follows a comma and begins like a number belongs
 * to the value before it. */
static size_t first_length(const char *text)
{
    size_t length = strcspn(text, ",");
    while (text[length] == ',') {
        const char *next = text + length + 1;
        next += strspn(next, " \t");
        if (strspn(next, "0123456789.-") == 0)
            break;
        length = (size_t)(next - text) + strcspn(next, ",");
    }
    return length;
}

static scarlet_status parse_item(scarlet_options *opts, const char *text, size_t length,
                                 float triple[2][3], bool has[2], scarlet_error *err)
{
    size_t name_length = 0;
    while (name_length < length && text[name_length] != '=')
        name_length++;
    if (name_length == length)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "option \"%.*s\": expected name=value",
                             (int)(length < 80 ? length : 80), text);
    const char *name = text, *value = text + name_length + 1;
    size_t value_length = length - name_length - 1;
    trim(&name, &name_length);
    trim(&value, &value_length);
    int shown_name = (int)(name_length < 80 ? name_length : 80);
    int shown_value = (int)(value_length < 80 ? value_length : 80);

    for (int t = 0; t < 2; t++) {
        const char *which = t ? "std" : "mean";
        if (!equal(which, name, name_length))
            continue;
        if (!parse_triple(value, value_length, triple[t]))
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "option %s: \"%.*s\" is not three numbers, or one for all", which,
                                 shown_value, value);
        has[t] = true;
        return SCARLET_OK;
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (!equal(table[i].name, name, name_length))
            continue;
        char known[128];
        int64_t number = named(table[i].key, value, value_length, known, sizeof known);
        if (number < 0 && *known)
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "option %s: \"%.*s\" is not one of %s", table[i].name, shown_value,
                                 value, known);
        if (number < 0 && !parse_integer(value, value_length, &number))
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "option %s: \"%.*s\" is not an integer", table[i].name,
                                 shown_value, value);
        return set(opts, i, number, err);
    }
    return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown option \"%.*s\"", shown_name, name);
}

static scarlet_status parse(scarlet_options *opts, const char *text, scarlet_error *err)
{
    scarlet_options changed = *opts;
    float triple[2][3] = {SCARLET__IMAGENET_MEAN, SCARLET__IMAGENET_STD};
    bool has[2] = {false, false};
    scarlet__option_normalization(opts, triple[0], triple[1]);
    for (const char *p = text; *p;) {
        size_t length = first_length(p);
        const char *item = p;
        size_t item_length = length;
        trim(&item, &item_length);
        if (item_length) {
            scarlet_status status = parse_item(&changed, item, item_length, triple, has, err);
            if (status != SCARLET_OK)
                return status;
        }
        p += length + (p[length] == ',');
    }
    if (has[0] || has[1]) {
        scarlet_status status =
            scarlet_options_set_normalization(&changed, triple[0], triple[1], err);
        if (status != SCARLET_OK)
            return status;
    }
    *opts = changed;
    return SCARLET_OK;
}

scarlet_status scarlet_options_parse(scarlet_options *opts, const char *text, scarlet_error *err)
{
    if (!opts || !text)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", opts ? "text" : "opts");
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = parse(opts, text, err);
    scarlet__host_leave(&host);
    return status;
}

/* ---- description ---- */

scarlet_status scarlet_option_describe(size_t index, scarlet_option *key, const char **name,
                                       int64_t *min, int64_t *max, int64_t *dflt, const char **help)
{
    if (index >= ROWS)
        return SCARLET_ERROR_ARGUMENT;
    if (key)
        *key = table[index].key;
    if (name)
        *name = table[index].name;
    if (min)
        *min = table[index].min;
    if (max)
        *max = table[index].max;
    if (dflt)
        *dflt = table[index].dflt;
    if (help)
        *help = table[index].help;
    return SCARLET_OK;
}

const char *scarlet_option_value_name(scarlet_option key, int64_t value)
{
    for (size_t i = 0; i < NAMES; i++)
        if (names[i].key == key && names[i].value == value)
            return names[i].name;
    return NULL;
}

/* ---- log ---- */

scarlet_status scarlet_options_set_log(scarlet_options *opts, scarlet_log_fn fn, void *user,
                                       int32_t max_level)
{
    if (!opts)
        return SCARLET_ERROR_ARGUMENT;
    opts->log = fn;
    opts->log_user = user;
    opts->log_level = max_level;
    return SCARLET_OK;
}

void scarlet__log(const scarlet_options *opts, int level, const char *format, ...)
{
    if (!opts || !opts->log || level > opts->log_level)
        return;
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    opts->log(opts->log_user, level, line);
}
