#include "nas/data/dataset.h"

#include <float.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/error.h"
#include "common/host.h"
#include "common/memory.h"
#include "common/utf8.h"
#include "nas/data/digest.h"
#include "nas/data/random.h"

enum { CLASSES_MAX = 1000000 };

/* ---- making ---- */

scarlet_status scarlet__names_copy(const char *const *names, int32_t count, char ***out,
                                   scarlet_error *err)
{
    char **copy = scarlet__calloc((size_t)count, sizeof *copy);
    scarlet_status status = copy ? SCARLET_OK : scarlet__fail_memory(err);
    for (int32_t i = 0; status == SCARLET_OK && i < count; i++) {
        if (!names[i] || scarlet__utf8_check(names[i], strlen(names[i])) != strlen(names[i])) {
            status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "the name of class %d is %s",
                                   (int)i, names[i] ? "not UTF-8" : "NULL");
            break;
        }
        copy[i] = scarlet__strdup(names[i]);
        if (!copy[i])
            status = scarlet__fail_memory(err);
    }
    if (status != SCARLET_OK)
        scarlet__names_clear(copy, count);
    *out = status == SCARLET_OK ? copy : NULL;
    return status;
}

void scarlet__names_clear(char **names, int32_t count)
{
    for (int32_t i = 0; names && i < count; i++)
        scarlet__free(names[i]);
    scarlet__free(names);
}

scarlet_status scarlet_dataset_create(int32_t classes, const char *const *names,
                                      scarlet_dataset **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (classes < 2 || classes > CLASSES_MAX)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%d classes: 2 to %d are possible",
                             (int)classes, CLASSES_MAX);
    scarlet_dataset *d = scarlet__calloc(1, sizeof *d);
    if (!d)
        return scarlet__fail_memory(err);
    d->classes = classes;
    scarlet_status status = names ? scarlet__names_copy(names, classes, &d->name, err) : SCARLET_OK;
    if (status != SCARLET_OK) {
        scarlet_dataset_free(d);
        return status;
    }
    *out = d;
    return SCARLET_OK;
}

void scarlet_dataset_free(scarlet_dataset *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++) {
        scarlet_image_free(d->sample[i].image);
        scarlet__free(d->sample[i].bytes);
        scarlet__free(d->sample[i].path);
    }
    scarlet__names_clear(d->name, d->classes);
    scarlet__free(d->weight);
    for (size_t i = 0; i < d->blocks; i++)
        scarlet__free(d->block[i]);
    scarlet__free(d->block);
    scarlet__free(d->sample);
    scarlet__free(d);
}

/* ---- adding ---- */

/* Room for one more, after the checks that all kinds of pictures share. */
static scarlet_status prepare(scarlet_dataset *d, const void *picture, int32_t label,
                              scarlet_part part, scarlet_error *err)
{
    if (!d || !picture)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             d ? "the picture" : "dataset");
    if (label < 0 || label >= d->classes)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "label %d: there are %d classes",
                             (int)label, (int)d->classes);
    if ((unsigned)part >= SCARLET__PARTS)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "unknown part %d", (int)part);
    if (!scarlet__grow((void **)&d->sample, &d->capacity, d->count, sizeof *d->sample,
                       SCARLET__SAMPLES_MAX))
        return scarlet__fail_memory(err);
    return SCARLET_OK;
}

scarlet_status scarlet_dataset_add_image(scarlet_dataset *d, scarlet_image *image, int32_t label,
                                         scarlet_part part, scarlet_error *err)
{
    scarlet_status status = prepare(d, image, label, part, err);
    if (status == SCARLET_OK)
        d->sample[d->count++] = (scarlet__sample){.image = image, .label = label, .part = part};
    return status;
}

scarlet_status scarlet_dataset_add_bytes(scarlet_dataset *d, const void *data, size_t size,
                                         int32_t label, scarlet_part part, scarlet_error *err)
{
    scarlet_status status = prepare(d, data, label, part, err);
    if (status != SCARLET_OK)
        return status;
    uint8_t *bytes = scarlet__alloc(size, 1);
    if (!bytes)
        return scarlet__fail_memory(err);
    memcpy(bytes, data, size);
    d->sample[d->count++] =
        (scarlet__sample){.bytes = bytes, .size = size, .label = label, .part = part};
    return SCARLET_OK;
}

scarlet_status scarlet_dataset_add_file(scarlet_dataset *d, const char *path, int32_t label,
                                        scarlet_part part, scarlet_error *err)
{
    scarlet_status status = prepare(d, path, label, part, err);
    if (status != SCARLET_OK)
        return status;
    char *copy = scarlet__strdup(path);
    if (!copy)
        return scarlet__fail_memory(err);
    d->sample[d->count++] = (scarlet__sample){.path = copy, .label = label, .part = part};
    return SCARLET_OK;
}

/* ---- splitting ---- */

/* Of n pictures of a class. */
static size_t validation_share(size_t n, double fraction)
{
    size_t share = (size_t)((double)n * fraction + 0.5);
    if (n < 2)
        return 0;
    return share < 1 ? 1 : share > n - 1 ? n - 1 : share;
}

scarlet_status scarlet__dataset_by_class(const scarlet_dataset *d, size_t **first, uint32_t **index,
                                         scarlet_error *err)
{
    size_t classes = (size_t)d->classes;
    *first = scarlet__calloc(classes + 2, sizeof **first);
    *index = scarlet__alloc(d->count, sizeof **index);
    if (!*first || !*index)
        return scarlet__fail_memory(err);
    size_t *next = *first + 1; /* where the next picture of a class goes: in the end its end */
    for (size_t i = 0; i < d->count; i++)
        if (d->sample[i].part == SCARLET_PART_TRAIN)
            next[d->sample[i].label + 1]++;
    for (size_t c = 0; c < classes; c++)
        next[c + 1] += next[c];
    for (size_t i = 0; i < d->count; i++)
        if (d->sample[i].part == SCARLET_PART_TRAIN)
            (*index)[next[d->sample[i].label]++] = (uint32_t)i;
    return SCARLET_OK;
}

scarlet_status scarlet_dataset_split(scarlet_dataset *d, double fraction, uint64_t seed,
                                     scarlet_error *err)
{
    if (!d)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "dataset is NULL");
    if (!(fraction > 0 && fraction < 1))
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "the share of validation pictures is above 0 and below 1");
    size_t *first = NULL;
    uint32_t *index = NULL;
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = scarlet__dataset_by_class(d, &first, &index, err);
    for (int32_t c = 0; status == SCARLET_OK && c < d->classes; c++) {
        uint32_t *of_class = index + first[c];
        size_t n = first[c + 1] - first[c], share = validation_share(n, fraction);
        scarlet__random r = scarlet__random_at(seed, SCARLET__RANDOM_SPLIT, 0, (uint64_t)c);
        for (size_t i = 0; i < share; i++) {
            size_t other = i + scarlet__random_below(&r, (uint32_t)(n - i));
            uint32_t chosen = of_class[other];
            of_class[other] = of_class[i];
            d->sample[chosen].part = SCARLET_PART_VALIDATION;
        }
    }
    scarlet__free(first);
    scarlet__free(index);
    scarlet__host_leave(&host);
    return status;
}

/* ---- weights ---- */

scarlet_status scarlet_dataset_set_class_weights(scarlet_dataset *d, const float *weights,
                                                 size_t classes, scarlet_error *err)
{
    if (!d)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "dataset is NULL");
    if (weights && classes != (size_t)d->classes)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "weights of %zu classes; there are %d",
                             classes, (int)d->classes);
    float most = 0, *copy = NULL;
    for (size_t c = 0; weights && c < classes; c++) {
        if (!(weights[c] >= 0 && weights[c] <= FLT_MAX))
            return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                                 "the weight of class %zu is below 0 or not finite", c);
        most = weights[c] > most ? weights[c] : most;
    }
    if (weights && most <= 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "all weights are 0");
    if (weights) {
        copy = scarlet__alloc(classes, sizeof *copy);
        if (!copy)
            return scarlet__fail_memory(err);
        memcpy(copy, weights, classes * sizeof *copy);
    }
    scarlet__free(d->weight);
    d->weight = copy;
    return SCARLET_OK;
}

/* ---- asking ---- */

int32_t scarlet_dataset_classes(const scarlet_dataset *d)
{
    return d ? d->classes : 0;
}

size_t scarlet_dataset_count(const scarlet_dataset *d)
{
    return d ? d->count : 0;
}

scarlet_status scarlet_dataset_get(const scarlet_dataset *d, size_t index, int32_t *label,
                                   scarlet_part *part, const char **path)
{
    if (!d || index >= d->count)
        return SCARLET_ERROR_ARGUMENT;
    if (label)
        *label = d->sample[index].label;
    if (part)
        *part = d->sample[index].part;
    if (path)
        *path = d->sample[index].path;
    return SCARLET_OK;
}

scarlet_status scarlet_dataset_load(const scarlet_dataset *d, size_t index,
                                    const scarlet_options *opts, scarlet_image **out,
                                    scarlet_error *err)
{
    if (!d || !out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", d ? "out" : "dataset");
    *out = NULL;
    if (index >= d->count)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "picture %zu: there are %zu", index,
                             d->count);
    const scarlet__sample *s = &d->sample[index];
    if (s->bytes)
        return scarlet_image_decode(s->bytes, s->size, opts, out, err);
    if (s->path)
        return scarlet_image_load(s->path, opts, out, err);
    uint32_t width, height;
    scarlet_image_pixels(s->image, &width, &height, NULL, NULL);
    return scarlet_image_resize(s->image, width, height, SCARLET_FILTER_BILINEAR, out, err);
}

size_t scarlet__dataset_part_count(const scarlet_dataset *d, scarlet_part part)
{
    size_t count = 0;
    for (size_t i = 0; i < d->count; i++)
        count += d->sample[i].part == part;
    return count;
}

uint32_t *scarlet__dataset_part(const scarlet_dataset *d, scarlet_part part, size_t *count)
{
    *count = 0;
    uint32_t *index = scarlet__alloc(scarlet__dataset_part_count(d, part), sizeof *index);
    for (size_t i = 0; index && i < d->count; i++)
        if (d->sample[i].part == part)
            index[(*count)++] = (uint32_t)i;
    return index;
}

void scarlet__sample_name(const scarlet_dataset *d, size_t index, char *text, size_t room)
{
    if (d->sample[index].path)
        snprintf(text, room, "%s", d->sample[index].path);
    else
        snprintf(text, room, "picture %zu", index);
}

/* ---- hash ---- */

static uint64_t hash_pixels(uint64_t hash, const scarlet_image *image)
{
    /* Bytes of a pixel in the first plane, which stands for the whole of a YCbCr picture. */
    static const uint8_t bytes[] = {3, 3, 4, 4, 1, 1, 1, 1};
    uint32_t width, height;
    size_t stride;
    scarlet_pixels format;
    const uint8_t *pixels = scarlet_image_pixels(image, &width, &height, &stride, &format);
    for (uint32_t y = 0; y < height; y++)
        hash = scarlet__digest(hash, pixels + y * stride, (size_t)width * bytes[format]);
    return hash;
}

scarlet_status scarlet_dataset_hash(const scarlet_dataset *d, uint64_t *hash, scarlet_error *err)
{
    if (!d || !hash)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", d ? "hash" : "dataset");
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = SCARLET_OK;
    uint64_t h = scarlet__digest(0, &d->classes, sizeof d->classes);
    for (int32_t i = 0; d->name && i < d->classes; i++)
        h = scarlet__digest_text(h, d->name[i]);
    if (d->weight)
        h = scarlet__digest(h, d->weight, (size_t)d->classes * sizeof *d->weight);
    for (size_t i = 0; status == SCARLET_OK && i < d->count; i++) {
        const scarlet__sample *s = &d->sample[i];
        int32_t head[2] = {s->label, (int32_t)s->part};
        h = scarlet__digest(h, head, sizeof head);
        if (s->image) {
            h = hash_pixels(h, s->image);
        } else if (s->bytes) {
            h = scarlet__digest(h, s->bytes, s->size);
        } else {
            struct stat st;
            int64_t size = stat(s->path, &st) == 0 ? (int64_t)st.st_size : -1;
            h = scarlet__digest_text(h, s->path);
            h = scarlet__digest(h, &size, sizeof size);
        }
    }
    *hash = h;
    scarlet__host_leave(&host);
    return status;
}
