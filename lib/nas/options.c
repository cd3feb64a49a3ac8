#include "nas/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/decimal.h"
#include "common/error.h"
#include "common/memory.h"
#include "formats/json.h"

typedef struct {
    scarlet_train_option key;
    const char *name;
    scarlet_train_kind kind;
    double min, max;
    const char *dflt, *help;
} row;

static const row table[] = {
#define OPTION(key, name, kind, min, max, dflt, help)                                              \
    {SCARLET_TRAIN_##key, name, SCARLET_TRAIN_KIND_##kind, min, max, dflt, help},
#include "nas/option_table.h"
};

static const struct {
    scarlet_train_option key;
    double value;
    const char *name;
} value_names[] = {
#define VALUE(key, value, name) {SCARLET_TRAIN_##key, value, name},
#include "nas/option_table.h"
};

enum { ROWS = sizeof table / sizeof *table, NAMES = sizeof value_names / sizeof *value_names };

typedef struct {
    double value[3]; /* NaN for auto and for texts */
    char *text;
} item;

struct scarlet_train_options {
    item item[ROWS];
};

static const row *find_row(scarlet_train_option key)
{
    for (size_t i = 0; i < ROWS; i++)
        if (table[i].key == key)
            return &table[i];
    return NULL;
}

static size_t count_of(scarlet_train_kind kind)
{
    switch (kind) {
    case SCARLET_TRAIN_KIND_TEXT:
        return 0;
    case SCARLET_TRAIN_KIND_PAIR:
        return 2;
    case SCARLET_TRAIN_KIND_TRIPLE:
        return 3;
    default:
        return 1;
    }
}

/* ---- values as text ---- */

static scarlet_status refuse(const row *r, const char *text, scarlet_error *err)
{
    char range[96];
    switch (r->kind) {
    case SCARLET_TRAIN_KIND_CHOICE: {
        size_t used = 0;
        range[0] = '\0';
        for (size_t i = 0; i < NAMES && used < sizeof range; i++)
            if (value_names[i].key == r->key)
                used += (size_t)snprintf(range + used, sizeof range - used, "%s%s",
                                         used ? ", " : "", value_names[i].name);
        break;
    }
    case SCARLET_TRAIN_KIND_INTEGER:
        snprintf(range, sizeof range, "a whole number, %.0f to %.0f", r->min, r->max);
        break;
    case SCARLET_TRAIN_KIND_REAL:
        snprintf(range, sizeof range, "a number, %g to %g", r->min, r->max);
        break;
    case SCARLET_TRAIN_KIND_TEXT:
        snprintf(range, sizeof range, "a line of text");
        break;
    case SCARLET_TRAIN_KIND_PAIR:
        snprintf(range, sizeof range, "two rising numbers with a comma between them, %g to %g",
                 r->min, r->max);
        break;
    default:
        snprintf(range, sizeof range, "three numbers, or one for all, %g to %g", r->min, r->max);
    }
    return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "option %s: \"%.40s\"; expected %s%s",
                         r->name, text, range, strcmp(r->dflt, "auto") == 0 ? ", or auto" : "");
}

static bool named(scarlet_train_option key, const char *text, size_t length, double *value)
{
    for (size_t i = 0; i < NAMES; i++)
        if (value_names[i].key == key && strlen(value_names[i].name) == length &&
            memcmp(value_names[i].name, text, length) == 0) {
            *value = value_names[i].value;
            return true;
        }
    return false;
}

static bool parse_number(const row *r, const char *text, size_t length, double *value)
{
    if (r->kind == SCARLET_TRAIN_KIND_CHOICE)
        return named(r->key, text, length, value);
    return (named(r->key, text, length, value) || scarlet__parse_decimal(text, length, value)) &&
           *value >= r->min && *value <= r->max &&
           (r->kind != SCARLET_TRAIN_KIND_INTEGER || floor(*value) == *value);
}

/* A pair, or three numbers, for which one may stand. */
static bool parse_several(const row *r, const char *text, size_t length, double value[3])
{
    size_t count = count_of(r->kind), found = scarlet__parse_decimals(text, length, value);
    if (found == 1 && r->kind == SCARLET_TRAIN_KIND_TRIPLE) {
        value[1] = value[2] = value[0];
        found = count;
    }
    bool good = found == count;
    for (size_t i = 0; good && i < count; i++)
        good = value[i] >= r->min && value[i] <= r->max;
    return good && (r->kind != SCARLET_TRAIN_KIND_PAIR || value[0] <= value[1]);
}

static bool parse(const row *r, const char *text, size_t length, double value[3])
{
    value[0] = value[1] = value[2] = NAN;
    if (r->kind == SCARLET_TRAIN_KIND_TEXT ||
        (length == 4 && memcmp(text, "auto", 4) == 0 && strcmp(r->dflt, "auto") == 0))
        return true;
    return count_of(r->kind) > 1 ? parse_several(r, text, length, value)
                                 : parse_number(r, text, length, &value[0]);
}

static scarlet_status assign(scarlet_train_options *opts, const row *r, const char *text,
                             scarlet_error *err)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t length = strlen(text);
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    item new;
    if (strpbrk(text, "\n\r") || !parse(r, text, length, new.value))
        return refuse(r, text, err);
    new.text = scarlet__strndup(text, length);
    if (!new.text)
        return scarlet__fail_memory(err);
    item *old = &opts->item[r - table];
    scarlet__free(old->text);
    *old = new;
    return SCARLET_OK;
}

/* ---- the object ---- */

scarlet_train_options *scarlet_train_options_create(void)
{
    scarlet_train_options *opts = scarlet__calloc(1, sizeof *opts);
    for (size_t i = 0; opts && i < ROWS; i++)
        if (assign(opts, &table[i], table[i].dflt, NULL) != SCARLET_OK) {
            scarlet_train_options_free(opts);
            return NULL;
        }
    return opts;
}

scarlet_train_options *scarlet_train_options_copy(const scarlet_train_options *opts)
{
    scarlet_train_options *copy = opts ? scarlet__calloc(1, sizeof *copy) : NULL;
    for (size_t i = 0; copy && i < ROWS; i++) {
        copy->item[i] = opts->item[i];
        copy->item[i].text = scarlet__strdup(opts->item[i].text);
        if (!copy->item[i].text) {
            scarlet_train_options_free(copy);
            return NULL;
        }
    }
    return copy;
}

void scarlet_train_options_free(scarlet_train_options *opts)
{
    for (size_t i = 0; opts && i < ROWS; i++)
        scarlet__free(opts->item[i].text);
    scarlet__free(opts);
}

scarlet_status scarlet_train_options_set(scarlet_train_options *opts, const char *name,
                                         const char *value, scarlet_error *err)
{
    if (!opts || !name || !value)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !opts  ? "opts"
                             : name ? "value"
                                    : "name");
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(table[i].name, name) == 0)
            return assign(opts, &table[i], value, err);
    return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown training option \"%.40s\"", name);
}

const char *scarlet_train_options_text(const scarlet_train_options *opts, scarlet_train_option key)
{
    const row *r = find_row(key);
    return opts && r ? opts->item[r - table].text : NULL;
}

scarlet_status scarlet_train_options_get(const scarlet_train_options *opts,
                                         scarlet_train_option key, double *values, size_t count,
                                         scarlet_error *err)
{
    const row *r = find_row(key);
    if (!opts || !values)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", opts ? "values" : "opts");
    if (!r)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown training option %d", (int)key);
    if (count != count_of(r->kind) || count == 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "option %s has %zu numbers, not %zu",
                             r->name, count_of(r->kind), count);
    memcpy(values, opts->item[r - table].value, count * sizeof *values);
    return SCARLET_OK;
}

scarlet_status scarlet_train_option_describe(size_t index, scarlet_train_option *key,
                                             const char **name, scarlet_train_kind *kind,
                                             double *min, double *max, const char **dflt,
                                             const char **help)
{
    if (index >= ROWS)
        return SCARLET_ERROR_ARGUMENT;
    const row *r = &table[index];
    if (key)
        *key = r->key;
    if (name)
        *name = r->name;
    if (kind)
        *kind = r->kind;
    if (min)
        *min = r->min;
    if (max)
        *max = r->max;
    if (dflt)
        *dflt = r->dflt;
    if (help)
        *help = r->help;
    return SCARLET_OK;
}

const char *scarlet_train_option_value_name(scarlet_train_option key, size_t index)
{
    for (size_t i = 0; i < NAMES; i++)
        if (value_names[i].key == key && index-- == 0)
            return value_names[i].name;
    return NULL;
}

/* ---- for the library ---- */

void scarlet__train_numbers(const scarlet_train_options *opts, scarlet_train_option key,
                            double values[3])
{
    memcpy(values, opts->item[find_row(key) - table].value, 3 * sizeof *values);
}

double scarlet__train_number(const scarlet_train_options *opts, scarlet_train_option key)
{
    return opts->item[find_row(key) - table].value[0];
}

bool scarlet__train_is_auto(const scarlet_train_options *opts, scarlet_train_option key)
{
    return isnan(scarlet__train_number(opts, key));
}

scarlet_status scarlet__train_resolve(scarlet_train_options *opts, scarlet_train_option key,
                                      const double *values, size_t count, scarlet_error *err)
{
    const row *r = find_row(key);
    char text[96];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (r->kind == SCARLET_TRAIN_KIND_CHOICE) {
            const char *name = scarlet_train_option_value_name(key, (size_t)values[i]);
            snprintf(text, sizeof text, "%s", name ? name : "");
            break;
        }
        char number[SCARLET__DECIMAL_SIZE];
        scarlet__print_decimal((float)values[i], number);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "," : "", number);
    }
    return assign(opts, r, text, err);
}

char *scarlet__train_lines(const scarlet_train_options *opts)
{
    scarlet__text text = {0};
    for (size_t i = 0; i < ROWS; i++) {
        scarlet__text_put(&text, table[i].name);
        scarlet__text_put(&text, " = ");
        scarlet__text_put(&text, opts->item[i].text);
        scarlet__text_put(&text, "\n");
    }
    if (text.failed) {
        scarlet__free(text.data);
        return NULL;
    }
    return text.data;
}

scarlet_status scarlet__train_read_lines(const char *text, scarlet_train_options *opts,
                                         scarlet_error *err)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        char *line = scarlet__strndup(text, length);
        if (!line)
            return scarlet__fail_memory(err);
        char *equals = strstr(line, " = ");
        scarlet_error why;
        scarlet_status status = SCARLET_ERROR_ARGUMENT;
        if (equals) {
            *equals = '\0';
            status = scarlet_train_options_set(opts, line, equals + 3, &why);
        }
        scarlet__free(line);
        if (status == SCARLET_ERROR_MEMORY)
            return scarlet__fail_memory(err);
        if (status != SCARLET_OK)
            return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s",
                                 equals ? why.message : "a line that is no option");
        text += length + (text[length] == '\n');
    }
    return SCARLET_OK;
}

static bool matters(scarlet_train_option key)
{
    return key != SCARLET_TRAIN_THREADS && key != SCARLET_TRAIN_CACHE &&
           key != SCARLET_TRAIN_CACHE_SIZE;
}

const char *scarlet__train_differs(const scarlet_train_options *a, const scarlet_train_options *b)
{
    for (size_t i = 0; i < ROWS; i++) {
        const item *x = &a->item[i], *y = &b->item[i];
        bool same =
            table[i].kind == SCARLET_TRAIN_KIND_TEXT || isnan(x->value[0]) || isnan(y->value[0])
                ? strcmp(x->text, y->text) == 0
                : true;
        for (size_t c = 0; same && c < count_of(table[i].kind); c++)
            same = x->value[c] == y->value[c] || (isnan(x->value[c]) && isnan(y->value[c]));
        if (!same && matters(table[i].key))
            return table[i].name;
    }
    return NULL;
}
