#include "network/metadata.h"

#include <stdio.h>
#include <string.h>

#include "common/decimal.h"
#include "common/error.h"
#include "common/memory.h"
#include "formats/json.h"
#include "options/options.h"

enum { RESIZE_MAX = 8192 };

static scarlet_status malformed(const scarlet__tensors *tensors, const char *key, const char *why,
                                scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: metadata %s: %s", tensors->source->name,
                         key, why);
}

static const char *key_of(const void *items, uint32_t i)
{
    return ((char *const *)items)[i];
}

static scarlet_status copy(const scarlet__tensors *tensors, scarlet__metadata *m,
                           scarlet_error *err)
{
    m->key = scarlet__calloc(tensors->metadata_count, sizeof *m->key);
    m->value = scarlet__calloc(tensors->metadata_count, sizeof *m->value);
    if (!m->key || !m->value)
        return scarlet__fail_memory(err);
    m->count = tensors->metadata_count;
    for (size_t i = 0; i < m->count; i++) {
        m->key[i] = scarlet__strdup(tensors->key[i]);
        m->value[i] = scarlet__strdup(tensors->value[i]);
        if (!m->key[i] || !m->value[i])
            return scarlet__fail_memory(err);
    }
    return scarlet__names_index(&m->by_key, m->key, m->count, key_of) ? SCARLET_OK
                                                                      : scarlet__fail_memory(err);
}

static bool pixels(const char *text, int *out)
{
    int v = 0;
    size_t n = strlen(text);
    if (n < 1 || n > 4 || text[0] == '0')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = v * 10 + (text[i] - '0');
    }
    *out = v;
    return true;
}

/* "0.485,0.456,0.406" */
static bool triple(const char *text, float out[3])
{
    for (int c = 0; c < 3; c++) {
        size_t n = strcspn(text, ",");
        double v;
        if (!scarlet__parse_decimal(text, n, &v) || (text[n] == ',') != (c < 2))
            return false;
        out[c] = (float)v;
        text += n + 1;
    }
    return true;
}

static scarlet_status read_labels(const scarlet__tensors *tensors, const char *text, int classes,
                                  scarlet__metadata *m, scarlet_error *err)
{
    const char *problem = NULL;
    m->label = (const char **)scarlet__json_strings(text, &m->label_count, &problem);
    if (!m->label && !problem)
        return scarlet__fail_memory(err);
    if (!m->label)
        return malformed(tensors, "scarlet.labels", problem, err);
    if (m->label_count != (size_t)classes)
        return scarlet__fail(err, SCARLET_ERROR_CORRUPT,
                             "%s: metadata scarlet.labels: %zu labels for %d classes",
                             tensors->source->name, m->label_count, classes);
    return SCARLET_OK;
}

static scarlet_status known(const scarlet__tensors *tensors, const scarlet__network *network,
                            scarlet__metadata *m, scarlet_error *err)
{
    const char *text = scarlet__metadata_get(m, "scarlet.input_size");
    if (text && (!pixels(text, &m->input_size) || m->input_size > 4096))
        return malformed(tensors, "scarlet.input_size", "expected pixels, 1 to 4096", err);
    text = scarlet__metadata_get(m, "scarlet.resize");
    if (text && (!pixels(text, &m->resize) || m->resize > RESIZE_MAX))
        return malformed(tensors, "scarlet.resize", "expected pixels, 1 to 8192", err);
    text = scarlet__metadata_get(m, "scarlet.mean");
    m->has_mean = text && triple(text, m->mean);
    if (text && !m->has_mean)
        return malformed(tensors, "scarlet.mean", "expected three decimals a,b,c", err);
    text = scarlet__metadata_get(m, "scarlet.std");
    m->has_std = text && triple(text, m->std) && m->std[0] > 0 && m->std[1] > 0 && m->std[2] > 0;
    if (text && !m->has_std)
        return malformed(tensors, "scarlet.std", "expected three decimals a,b,c above 0", err);
    text = scarlet__metadata_get(m, "scarlet.auto_orient");
    m->has_auto_orient = text;
    m->auto_orient = text && strcmp(text, "on") == 0;
    if (text && !m->auto_orient && strcmp(text, "off") != 0)
        return malformed(tensors, "scarlet.auto_orient", "expected on or off", err);
    text = scarlet__metadata_get(m, "scarlet.labels");
    return text ? read_labels(tensors, text, network->classes, m, err) : SCARLET_OK;
}

scarlet_status scarlet__metadata_read(const scarlet__tensors *tensors,
                                      const scarlet__network *network, scarlet__metadata *out,
                                      scarlet_error *err)
{
    *out = (scarlet__metadata){0};
    scarlet_status status = copy(tensors, out, err);
    return status == SCARLET_OK ? known(tensors, network, out, err) : status;
}

void scarlet__metadata_free(scarlet__metadata *m)
{
    for (size_t i = 0; i < m->count; i++) {
        scarlet__free(m->key[i]);
        scarlet__free(m->value[i]);
    }
    scarlet__free(m->key);
    scarlet__free(m->value);
    scarlet__free(m->label);
    scarlet__names_free(&m->by_key);
    *m = (scarlet__metadata){0};
}

/* ---- writing ---- */

/* format, labels, input_size, resize, mean, std, auto_orient */
enum { KEYS_OF_OURS = 7 };

static void append(scarlet__metadata_text *t, const char *key, const char *value)
{
    t->key[t->count] = key;
    t->value[t->count++] = value;
}

/* Replaces the value of a key, or appends it. */
static void put(scarlet__metadata_text *t, const char *key, const char *value)
{
    size_t i = 0;
    while (i < t->count && strcmp(t->key[i], key) != 0)
        i++;
    if (i < t->count)
        t->value[i] = value;
    else
        append(t, key, value);
}

static void put_pixels(scarlet__metadata_text *t, const char *key, char *text, size_t room,
                       int side)
{
    if (!side)
        return;
    snprintf(text, room, "%d", side);
    put(t, key, text);
}

static void put_triple(scarlet__metadata_text *t, const char *key, char *text, size_t room,
                       const float x[3])
{
    size_t used = 0;
    for (int c = 0; c < 3; c++) {
        char number[SCARLET__DECIMAL_SIZE];
        scarlet__print_decimal(x[c], number);
        used += (size_t)snprintf(text + used, room - used, "%s%s", c ? "," : "", number);
    }
    put(t, key, text);
}

static bool holds(const scarlet__metadata *m, const char *key)
{
    size_t i = 0;
    while (i < m->count && strcmp(m->key[i], key) != 0)
        i++;
    return i < m->count;
}

static scarlet_status put_labels(scarlet__metadata_text *t, const scarlet__metadata *m,
                                 scarlet_error *err)
{
    scarlet__text_put(&t->labels, "[");
    for (size_t i = 0; i < m->label_count; i++) {
        scarlet__text_put(&t->labels, i ? "," : "");
        scarlet__text_put_string(&t->labels, m->label[i]);
    }
    scarlet__text_put(&t->labels, "]");
    if (t->labels.failed)
        return scarlet__fail_memory(err);
    put(t, "scarlet.labels", t->labels.data);
    return SCARLET_OK;
}

scarlet_status scarlet__metadata_write(const scarlet__metadata *base,
                                       const scarlet__metadata *changes, scarlet__metadata_text *t,
                                       scarlet_error *err)
{
    *t = (scarlet__metadata_text){0};
    const size_t most = base->count + changes->count + KEYS_OF_OURS; /* all are in memory */
    t->key = scarlet__alloc(most, sizeof *t->key);
    t->value = scarlet__alloc(most, sizeof *t->value);
    if (!t->key || !t->value)
        return scarlet__fail_memory(err);
    /* Readers of 1 do not know scarlet.network. */
    append(t, "scarlet.format", holds(base, "scarlet.network") ? "2" : "1");
    for (size_t i = 0; i < base->count; i++) /* no two are the same */
        if (strcmp(base->key[i], "scarlet.format") != 0)
            append(t, base->key[i], base->value[i]);
    for (size_t i = 0; i < changes->count; i++)
        put(t, changes->key[i], changes->value[i]);
    if (changes->label) {
        scarlet_status status = put_labels(t, changes, err);
        if (status != SCARLET_OK)
            return status;
    }
    put_pixels(t, "scarlet.input_size", t->input_size, sizeof t->input_size, changes->input_size);
    put_pixels(t, "scarlet.resize", t->resize, sizeof t->resize, changes->resize);
    if (changes->has_mean)
        put_triple(t, "scarlet.mean", t->mean, sizeof t->mean, changes->mean);
    if (changes->has_std)
        put_triple(t, "scarlet.std", t->std, sizeof t->std, changes->std);
    if (changes->has_auto_orient)
        put(t, "scarlet.auto_orient", changes->auto_orient ? "on" : "off");
    return SCARLET_OK;
}

void scarlet__metadata_text_free(scarlet__metadata_text *t)
{
    scarlet__free(t->key);
    scarlet__free(t->value);
    scarlet__free(t->labels.data);
    *t = (scarlet__metadata_text){0};
}

/* ---- looking up ---- */

const char *scarlet__metadata_get(const scarlet__metadata *m, const char *key)
{
    size_t place;
    return scarlet__names_find(&m->by_key, key, &place) ? m->value[m->by_key.order[place]] : NULL;
}

int scarlet__metadata_resize(const scarlet__metadata *m, int side)
{
    int own = m->input_size ? m->input_size : SCARLET__IMAGENET_SIDE;
    int64_t resize = (int64_t)m->resize * side / own;
    return (int)(resize > RESIZE_MAX ? RESIZE_MAX : m->resize && !resize ? 1 : resize);
}

void scarlet__metadata_normalization(const scarlet__metadata *m, float mean[3], float std[3])
{
    static const float imagenet_mean[3] = SCARLET__IMAGENET_MEAN;
    static const float imagenet_std[3] = SCARLET__IMAGENET_STD;
    memcpy(mean, m->has_mean ? m->mean : imagenet_mean, sizeof imagenet_mean);
    memcpy(std, m->has_std ? m->std : imagenet_std, sizeof imagenet_std);
}
