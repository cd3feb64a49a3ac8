#include "nas/train/head.h"

#include <string.h>

#include "common/error.h"
#include "common/finite.h"
#include "common/host.h"
#include "common/memory.h"
#include "formats/open.h"
#include "nas/train/logistic.h"
#include "network/find.h"
#include "network/store.h"

enum { CLASSES_MAX = 1000000, FEATURES_MAX = 1 << 20 };

/* ---- the object ---- */

scarlet_status scarlet_head_create(size_t features, int32_t classes, const char *const *names,
                                   scarlet_head **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (features < 1 || features > FEATURES_MAX || classes < 2 || classes > CLASSES_MAX)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "a head of %zu features and %d classes is not possible", features,
                             (int)classes);
    scarlet_head *h = scarlet__calloc(1, sizeof *h);
    if (!h)
        return scarlet__fail_memory(err);
    h->features = features;
    h->classes = classes;
    scarlet_status status = SCARLET_OK;
    if (names)
        status = scarlet__names_copy(names, classes, &h->name, err);
    if (status != SCARLET_OK) {
        scarlet_head_free(h);
        return status;
    }
    *out = h;
    return SCARLET_OK;
}

void scarlet_head_free(scarlet_head *h)
{
    if (!h)
        return;
    scarlet__names_clear(h->name, h->classes);
    scarlet__free(h->x);
    scarlet__free(h->label);
    scarlet__free(h->weight);
    scarlet__free(h->bias);
    scarlet__free(h);
}

/* ---- vectors ---- */

scarlet_status scarlet__head_reserve(scarlet_head *h, size_t count, scarlet_error *err)
{
    if (count <= h->room)
        return SCARLET_OK;
    size_t room = h->room > SIZE_MAX / 2 || count > 2 * h->room ? count : 2 * h->room;
    if (room > SIZE_MAX / sizeof(float) / h->features)
        return scarlet__fail_memory(err);
    float *x = scarlet__realloc(h->x, room, h->features * sizeof *x);
    if (!x)
        return scarlet__fail_memory(err);
    h->x = x;
    int32_t *label = scarlet__realloc(h->label, room, sizeof *label);
    if (!label)
        return scarlet__fail_memory(err);
    h->label = label;
    h->room = room;
    return SCARLET_OK;
}

static scarlet_status check_vector(const scarlet_head *h, const float *features, size_t length,
                                   scarlet_error *err)
{
    if (!h || !features)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", h ? "features" : "head");
    if (length != h->features)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "a vector of %zu features, not %zu",
                             length, h->features);
    size_t i = scarlet__first_not_finite(features, length);
    if (i < length)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "feature %zu is not finite", i);
    return SCARLET_OK;
}

scarlet_status scarlet_head_add(scarlet_head *h, const float *features, size_t length,
                                int32_t label, scarlet_error *err)
{
    scarlet_status status = check_vector(h, features, length, err);
    if (status == SCARLET_OK && (label < 0 || label >= h->classes))
        status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "label %d: there are %d classes",
                               (int)label, (int)h->classes);
    if (status == SCARLET_OK)
        status = scarlet__head_reserve(h, h->count + 1, err);
    if (status != SCARLET_OK)
        return status;
    memcpy(h->x + h->count * h->features, features, length * sizeof *features);
    h->label[h->count++] = label;
    return SCARLET_OK;
}

/* ---- the classifier ---- */

scarlet_status scarlet_head_fit(scarlet_head *h, double *loss, scarlet_error *err)
{
    if (!h)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "head is NULL");
    if (h->count == 0)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "no vectors to fit a head to");
    size_t classes = (size_t)h->classes;
    if (!h->weight)
        h->weight = scarlet__alloc(classes, h->features * sizeof *h->weight);
    if (!h->bias)
        h->bias = scarlet__alloc(classes, sizeof *h->bias);
    if (!h->weight || !h->bias)
        return scarlet__fail_memory(err);
    const scarlet__logistic problem = {.x = h->x,
                                       .label = h->label,
                                       .count = h->count,
                                       .features = h->features,
                                       .classes = classes};
    scarlet__host host = scarlet__host_enter();
    scarlet_status status = scarlet__logistic_fit(&problem, h->weight, h->bias, loss, err);
    scarlet__host_leave(&host);
    h->fitted = status == SCARLET_OK;
    return status;
}

static scarlet_status check_fitted(const scarlet_head *h, scarlet_error *err)
{
    if (h->fitted)
        return SCARLET_OK;
    return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "the head is not fitted yet");
}

scarlet_status scarlet_head_scores(const scarlet_head *h, const float *features, size_t length,
                                   float *scores, size_t classes, scarlet_error *err)
{
    scarlet_status status = check_vector(h, features, length, err);
    if (status == SCARLET_OK)
        status = check_fitted(h, err);
    if (status != SCARLET_OK)
        return status;
    if (!scores || classes != (size_t)h->classes)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "scores for %zu classes, not %d",
                             scores ? classes : 0, (int)h->classes);
    scarlet__host host = scarlet__host_enter();
    scarlet__linear(h->weight, h->bias, features, h->features, classes, scores);
    scarlet__host_leave(&host);
    return SCARLET_OK;
}

/* ---- the file ---- */

typedef struct {
    const scarlet__head_file *file;
    const scarlet__tensor **of; /* each entry's tensor of the base; NULL: the classifier's own */
    scarlet__entry *entry;
    size_t count;
} listing;

/* The classifier's tensors are the last layer's, and no other's. */
static bool is_classifier(const scarlet__network *network, const char *name)
{
    const char *prefix = network->layer[network->count - 1].name;
    size_t n = strlen(prefix);
    return strncmp(name, prefix, n) == 0 && name[n] == '.';
}

static scarlet_status list_entries(listing *l, scarlet_error *err)
{
    const scarlet__tensors *base = l->file->base;
    l->entry = scarlet__alloc(base->count, sizeof *l->entry);
    /* One pointer each. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    l->of = scarlet__alloc(base->count, sizeof *l->of);
    if (!l->entry || !l->of)
        return scarlet__fail_memory(err);
    for (size_t i = 0; i < base->count; i++) {
        const scarlet__tensor *t = &base->tensor[i];
        if (scarlet__network_is_counter(t->name))
            continue;
        scarlet__entry *e = &l->entry[l->count];
        *e = (scarlet__entry){.name = t->name, .rank = t->rank};
        memcpy(e->shape, t->shape, sizeof e->shape);
        l->of[l->count] = t;
        if (is_classifier(l->file->network, t->name)) {
            e->shape[0] = l->file->head->classes;
            l->of[l->count] = NULL;
        }
        l->count++;
    }
    return SCARLET_OK;
}

static scarlet_status read_values(void *user, size_t index, uint64_t first, size_t count,
                                  float *out, scarlet_error *err)
{
    const listing *l = user;
    if (l->of[index])
        return scarlet__tensor_read_f32(l->file->base, l->of[index], first, count, out, err);
    const scarlet_head *h = l->file->head;
    memcpy(out, (l->entry[index].rank == 2 ? h->weight : h->bias) + first, count * sizeof *out);
    return SCARLET_OK;
}

scarlet_status scarlet__head_put(const scarlet__head_file *file, scarlet__output *output,
                                 const char *name, scarlet_error *err)
{
    listing l = {.file = file};
    scarlet_status status = list_entries(&l, err);
    if (status == SCARLET_OK) {
        const scarlet__store store = {.metadata = file->metadata,
                                      .entry = l.entry,
                                      .count = l.count,
                                      .half = file->half,
                                      .read = read_values,
                                      .user = &l};
        status = scarlet__store_put(&store, output, name, err);
    }
    scarlet__free(l.entry);
    scarlet__free(l.of);
    return status;
}

static scarlet_status save(const scarlet__head_file *file, const char *target, scarlet_error *err)
{
    scarlet__output output;
    scarlet_status status = scarlet__output_open(target, &output, err);
    if (status != SCARLET_OK)
        return status;
    status = scarlet__head_put(file, &output, target, err);
    if (status == SCARLET_OK)
        return scarlet__output_commit(&output, err);
    scarlet__output_abandon(&output);
    return status;
}

/* Metadata of the base without its labels, unless there are new ones. */
static void forget_labels(scarlet__metadata *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->key[i], "scarlet.labels") == 0) {
            scarlet__free(m->key[i]);
            scarlet__free(m->value[i]);
            m->count--;
            memmove(m->key + i, m->key + i + 1, (m->count - i) * sizeof *m->key);
            memmove(m->value + i, m->value + i + 1, (m->count - i) * sizeof *m->value);
            return;
        }
}

static scarlet_status write_on(const scarlet_head *h, const scarlet__source *source,
                               const char *target, bool half, scarlet_error *err)
{
    scarlet__tensors *tensors = NULL;
    scarlet__metadata metadata = {0};
    scarlet__metadata_text text = {0};
    const scarlet__metadata changes = {.label = (const char **)h->name,
                                       .label_count = (size_t)h->classes};
    scarlet__network *network = scarlet__alloc(1, sizeof *network);
    scarlet_status status = network ? scarlet__tensors_open(source, UINT64_MAX, &tensors, err)
                                    : scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = scarlet__network_find(tensors, network, err);
    if (status == SCARLET_OK && (size_t)network->space.tail != h->features)
        status = scarlet__fail(err, SCARLET_ERROR_MODEL, "%s: has %d features; the head has %zu",
                               source->name, network->space.tail, h->features);
    if (status == SCARLET_OK)
        status = scarlet__metadata_read(tensors, network, &metadata, err);
    forget_labels(&metadata);
    if (status == SCARLET_OK)
        status = scarlet__metadata_write(&metadata, &changes, &text, err);
    if (status == SCARLET_OK)
        status = save(&(scarlet__head_file){h, tensors, network, &text, half}, target, err);
    scarlet__metadata_text_free(&text);
    scarlet__metadata_free(&metadata);
    scarlet__tensors_free(tensors);
    scarlet__free(network);
    return status;
}

scarlet_status scarlet_head_write(const scarlet_head *h, const char *base, const char *target,
                                  const scarlet_options *opts, scarlet_error *err)
{
    if (!h || !base || !target)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL",
                             !h     ? "head"
                             : base ? "target"
                                    : "base");
    int64_t storage = SCARLET_STORAGE_F32;
    scarlet_status status = check_fitted(h, err);
    if (status == SCARLET_OK && opts)
        status = scarlet_options_get(opts, SCARLET_OPT_STORAGE, &storage, err);
    if (status != SCARLET_OK)
        return status;
    scarlet__host host = scarlet__host_enter();
    scarlet__source source;
    status = scarlet__source_open(base, &source, err);
    if (status == SCARLET_OK)
        status = write_on(h, &source, target, storage == SCARLET_STORAGE_F16, err);
    scarlet__source_close(&source);
    scarlet__host_leave(&host);
    return status;
}
