#include "nas/data/pictures.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/error.h"
#include "common/memory.h"

enum { TOLERATED = 20 }; /* one broken picture in so many */

typedef struct {
    size_t index;
    char message[sizeof((scarlet_error *)0)->message];
} broken;

struct scarlet__pictures {
    const scarlet_dataset *dataset;
    scarlet_options *decoding;
    uint64_t cache_bytes;
    _Atomic uint64_t cached;
    _Atomic(scarlet_image *) *kept; /* of each picture; NULL: not in the cache */

    pthread_mutex_t lock; /* of what follows */
    broken **list;        /* each in a block of its own: its text stays where it is */
    size_t count, capacity;
    size_t of_part[SCARLET__PARTS], part_count[SCARLET__PARTS];
};

scarlet_status scarlet__pictures_create(const scarlet_dataset *dataset, scarlet_options *decoding,
                                        uint64_t cache_bytes, scarlet__pictures **out,
                                        scarlet_error *err)
{
    *out = NULL;
    scarlet__pictures *p = scarlet__calloc(1, sizeof *p);
    if (!p) {
        scarlet_options_free(decoding);
        return scarlet__fail_memory(err);
    }
    pthread_mutex_init(&p->lock, NULL);
    p->dataset = dataset;
    p->decoding = decoding;
    p->cache_bytes = cache_bytes;
    for (int part = 0; part < SCARLET__PARTS; part++)
        p->part_count[part] = scarlet__dataset_part_count(dataset, (scarlet_part)part);
    p->kept = scarlet__calloc(dataset->count, sizeof *p->kept);
    if (!p->kept) {
        scarlet__pictures_free(p);
        return scarlet__fail_memory(err);
    }
    *out = p;
    return SCARLET_OK;
}

void scarlet__pictures_free(scarlet__pictures *p)
{
    if (!p)
        return;
    for (size_t i = 0; p->kept && i < p->dataset->count; i++)
        scarlet_image_free(p->kept[i]);
    for (size_t i = 0; i < p->count; i++)
        scarlet__free(p->list[i]);
    scarlet__free(p->list);
    scarlet__free((void *)p->kept);
    scarlet_options_free(p->decoding);
    pthread_mutex_destroy(&p->lock);
    scarlet__free(p);
}

/* ---- broken pictures ---- */

static scarlet_status note(scarlet__pictures *p, size_t index, const scarlet_error *why,
                           scarlet_error *err)
{
    bool room = true, known = false;
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < p->count && !known; i++)
        known = p->list[i]->index == index;
    if (!known) {
        broken *b = scarlet__alloc(1, sizeof *b);
        /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
        const size_t pointer = sizeof *p->list;
        room = b && scarlet__grow((void **)&p->list, &p->capacity, p->count, pointer, SIZE_MAX);
        if (room) {
            b->index = index;
            snprintf(b->message, sizeof b->message, "%s", why->message);
            p->list[p->count++] = b;
            p->of_part[p->dataset->sample[index].part]++;
        } else {
            scarlet__free(b);
        }
    }
    pthread_mutex_unlock(&p->lock);
    if (!room)
        return scarlet__fail_memory(err);
    if (err)
        *err = *why;
    return (scarlet_status)why->status;
}

size_t scarlet__pictures_broken_count(scarlet__pictures *p, scarlet_part part)
{
    pthread_mutex_lock(&p->lock);
    size_t count = p->of_part[part];
    pthread_mutex_unlock(&p->lock);
    return count;
}

bool scarlet__pictures_broken(scarlet__pictures *p, size_t i, size_t *index, const char **message)
{
    pthread_mutex_lock(&p->lock);
    const broken *b = i < p->count ? p->list[i] : NULL;
    pthread_mutex_unlock(&p->lock);
    if (b && index)
        *index = b->index;
    if (b && message)
        *message = b->message;
    return b;
}

scarlet_status scarlet__pictures_check(scarlet__pictures *p, scarlet_part part, scarlet_error *err)
{
    pthread_mutex_lock(&p->lock);
    size_t count = p->of_part[part], all = p->part_count[part];
    const broken *first = NULL;
    for (size_t i = 0; i < p->count && !first; i++)
        if (p->dataset->sample[p->list[i]->index].part == part)
            first = p->list[i];
    pthread_mutex_unlock(&p->lock);
    if (!first || count <= all / TOLERATED)
        return SCARLET_OK;
    static const char *const names[SCARLET__PARTS] = {"training", "validation", "test"};
    return scarlet__fail(
        err, SCARLET_ERROR_CORRUPT,
        "at least %zu of %zu %s pictures cannot be read, more than 5 %%; one of them: %s", count,
        all, names[part], first->message);
}

/* ---- pictures ---- */

static scarlet_status decode(scarlet__pictures *p, size_t index, scarlet_image **image,
                             scarlet_error *err)
{
    const scarlet__sample *s = &p->dataset->sample[index];
    scarlet_error why = {0};
    scarlet_status status = s->bytes
                                ? scarlet_image_decode(s->bytes, s->size, p->decoding, image, &why)
                                : scarlet_image_load(s->path, p->decoding, image, &why);
    if (status == SCARLET_OK)
        return SCARLET_OK;
    if (status == SCARLET_ERROR_MEMORY)
        return scarlet__fail_memory(err);
    if (s->bytes) {
        char name[32];
        scarlet__sample_name(p->dataset, index, name, sizeof name);
        scarlet__error_prefix(&why, name);
    }
    return note(p, index, &why, err);
}

/* Keeps a picture if there is room for it. */
static scarlet_image *keep(scarlet__pictures *p, size_t index, scarlet_image *image)
{
    uint32_t height;
    size_t stride;
    scarlet_image_pixels(image, NULL, &height, &stride, NULL);
    uint64_t bytes = (uint64_t)stride * height;
    if (atomic_fetch_add(&p->cached, bytes) + bytes > p->cache_bytes) {
        atomic_fetch_sub(&p->cached, bytes);
        return image;
    }
    scarlet_image *other = NULL;
    if (atomic_compare_exchange_strong(&p->kept[index], &other, image))
        return image;
    atomic_fetch_sub(&p->cached, bytes); /* another thread was faster */
    scarlet_image_free(image);
    return other;
}

scarlet_status scarlet__pictures_take(scarlet__pictures *p, size_t index, const scarlet_image **out,
                                      scarlet_error *err)
{
    *out = p->dataset->sample[index].image;
    if (!*out)
        *out = atomic_load(&p->kept[index]);
    if (*out)
        return SCARLET_OK;
    scarlet_image *image;
    scarlet_status status = decode(p, index, &image, err);
    if (status == SCARLET_OK)
        *out = keep(p, index, image);
    return status;
}

void scarlet__pictures_give_back(scarlet__pictures *p, size_t index, const scarlet_image *image)
{
    if (!p->dataset->sample[index].image && atomic_load(&p->kept[index]) != image)
        scarlet_image_free((scarlet_image *)image);
}

uint64_t scarlet__pictures_cached(const scarlet__pictures *p)
{
    return atomic_load(&p->cached);
}
