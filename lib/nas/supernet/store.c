/* A supernet's training as a file: all that the next step depends on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/host.h"
#include "common/io.h"
#include "common/memory.h"
#include "formats/json.h"
#include "formats/open.h"
#include "formats/safetensors_write.h"
#include "nas/real.h"
#include "nas/supernet/run.h"

enum { STATES = 2, NAME_SIZE = 96, STATE_SIZE = 512 };

static const char *const prefix[STATES] = {"weights.", "momentum."};
static const char *const key[] = {"scarlet.supernet", "scarlet.space",   "scarlet.choices",
                                  "supernet.state",   "supernet.counts", "supernet.options"};
enum { KEYS = sizeof key / sizeof *key };

static const char state_format[] =
    "input_size=%d classes=%d training=%d let=%d let_start=%d let_decay=%" PRIu64
    " let_to_zero=%d step=%" PRId64 " data=%" PRIu64
    " share=%d largest_first=%d largest_teaches=%d";

/* ---- writing ---- */

/* The bank that a tensor is in. */
static const scarlet__bank *bank_of(const scarlet__supernet *net, size_t tensor)
{
    const scarlet__bank *bank = net->bank;
    while (tensor >= bank->first + bank->count)
        bank++;
    return bank;
}

static scarlet_status elements(void *user, size_t index, uint64_t first, size_t count, void *out,
                               scarlet_error *err)
{
    const scarlet_supernet *s = user;
    const size_t tensor = index % s->net.tensors;
    const scarlet__parameter *p = &s->net.tensor[tensor];
    const float *from = (index < s->net.tensors ? s->fair.weights : s->fair.momentum) +
                        bank_of(&s->net, tensor)->offset + p->offset;
    float *values = out;
    (void)err;
    for (size_t i = 0; i < count; i++)
        values[i] = from[scarlet__parameter_place(p, (int64_t)(first + i))];
    return SCARLET_OK;
}

static void put_counts(const scarlet_supernet *s, scarlet__text *text)
{
    for (int i = 0; i < s->net.parts; i++) {
        scarlet__text_put(text, i ? " " : "");
        scarlet__text_put_unsigned(text, (uint64_t)s->trained[i]);
    }
}

scarlet_status scarlet_supernet_write(const scarlet_supernet *s, const char *path,
                                      scarlet_error *err)
{
    if (!s || !path)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s is NULL", s ? "path" : "supernet");
    const scarlet_supernet_settings *set = &s->settings;
    char state[STATE_SIZE];
    snprintf(state, sizeof state, state_format, s->space->input_size, s->space->classes,
             (int)set->training, (int)set->let, (int)set->let_start,
             scarlet__real_bits(set->let_decay), (int)set->let_to_zero, s->fair.steps, s->data,
             (int)set->share, (int)set->largest_first, (int)set->largest_teaches);
    scarlet__text counts = {0};
    put_counts(s, &counts);
    char *options = scarlet__train_lines(s->given);
    const size_t tensors = s->net.tensors;
    scarlet__entry *entry = scarlet__calloc(STATES * tensors, sizeof *entry);
    char(*name)[NAME_SIZE] = scarlet__calloc(STATES * tensors, sizeof *name);
    scarlet_status status =
        entry && name && options && !counts.failed ? SCARLET_OK : scarlet__fail_memory(err);
    for (size_t i = 0; status == SCARLET_OK && i < STATES * tensors; i++) {
        const scarlet__parameter *p = &s->net.tensor[i % tensors];
        snprintf(name[i], NAME_SIZE, "%s%s", prefix[i / tensors], p->name);
        entry[i] = (scarlet__entry){.name = name[i], .dtype = SCARLET__F32, .rank = p->rank};
        memcpy(entry[i].shape, p->shape, sizeof p->shape);
    }
    if (status == SCARLET_OK) {
        const char *value[KEYS] = {"1",   s->space->widths_text, s->space->choices_text,
                                   state, counts.data,           options};
        const scarlet__contents contents = {.key = key,
                                            .value = value,
                                            .metadata_count = KEYS,
                                            .entry = entry,
                                            .count = STATES * tensors,
                                            .elements = elements,
                                            .user = (void *)(uintptr_t)s};
        status = scarlet__safetensors_write(path, &contents, err);
    }
    scarlet__free(entry);
    scarlet__free(name);
    scarlet__free(options);
    scarlet__free(counts.data);
    return status;
}

/* ---- reading ---- */

typedef struct saved {
    scarlet_supernet_settings settings;
    int input_size, classes;
    int64_t step;
    uint64_t data;
} saved;

static scarlet_status damaged(const scarlet__tensors *file, const char *what, scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: damaged supernet: %s", file->source->name,
                         what);
}

/* Reads a state, which must be what would be written of it. Files of before the last three were
 * added end with `data`. */
static bool parse_state(const char *text, saved *out)
{
    enum { FIELDS = 12, ADDED = 3 };
    int training, let, start, to_zero, share = 0, first = 0, teaches = 0;
    uint64_t decay;
    char again[STATE_SIZE];
    const int found = sscanf(text,
                             "input_size=%d classes=%d training=%d let=%d let_start=%d "
                             "let_decay=%" SCNu64 " let_to_zero=%d step=%" SCNd64 " data=%" SCNu64
                             " share=%d largest_first=%d largest_teaches=%d",
                             &out->input_size, &out->classes, &training, &let, &start, &decay,
                             &to_zero, &out->step, &out->data, &share, &first, &teaches);
    if (found != FIELDS && found != FIELDS - ADDED)
        return false;
    snprintf(again, sizeof again, state_format, out->input_size, out->classes, training, let, start,
             decay, to_zero, out->step, out->data, share, first, teaches);
    if (found != FIELDS)
        *strstr(again, " share") = '\0';
    out->settings = (scarlet_supernet_settings){.training = (scarlet_training)training,
                                                .let = let,
                                                .let_start = (scarlet_let_start)start,
                                                .let_decay = scarlet__real_of_bits(decay),
                                                .let_to_zero = to_zero,
                                                .share = (scarlet_share)share,
                                                .largest_first = first,
                                                .largest_teaches = teaches};
    return strcmp(text, again) == 0 && out->step >= 0 && out->classes >= 1;
}

static bool parse_counts(const char *text, scarlet_supernet *s)
{
    for (int i = 0; i < s->net.parts; i++) {
        char *end;
        if (*text < '0' || *text > '9')
            return false;
        const unsigned long long count = strtoull(text, &end, 10);
        if (count > INT64_MAX || *end != (i + 1 < s->net.parts ? ' ' : '\0'))
            return false;
        s->trained[i] = (int64_t)count;
        text = end + 1;
    }
    return true;
}

static scarlet_status load_tensors(scarlet_supernet *s, const scarlet__tensors *file,
                                   scarlet_error *err)
{
    for (int state = 0; state < STATES; state++)
        for (size_t i = 0; i < s->net.tensors; i++) {
            const scarlet__parameter *p = &s->net.tensor[i];
            char name[NAME_SIZE];
            snprintf(name, sizeof name, "%s%s", prefix[state], p->name);
            float *to = (state ? s->fair.momentum : s->fair.weights) + bank_of(&s->net, i)->offset +
                        p->offset;
            scarlet_status status = scarlet__parameter_load(p, file, name, to, err);
            if (status != SCARLET_OK)
                return status;
        }
    return SCARLET_OK;
}

static scarlet_status make_space(const saved *from, const char *const value[KEYS],
                                 scarlet_space **out, scarlet_error *err)
{
    const size_t room = strlen(value[1]) + strlen(value[2]) + 96;
    char *text = scarlet__alloc(room, 1);
    if (!text)
        return scarlet__fail_memory(err);
    snprintf(text, room, "space %s\nchoices %s\ninput_size %d\nclasses %d\n", value[1], value[2],
             from->input_size, from->classes);
    scarlet_status status = strchr(value[1], '\n') || strchr(value[2], '\n')
                                ? scarlet__fail(err, SCARLET_ERROR_CORRUPT, "damaged space")
                                : scarlet_space_parse(text, out, err);
    scarlet__free(text);
    return status;
}

/* Before memory is taken: whether the file has as many tensors and bytes as its space needs. */
static scarlet_status check_tensors(const scarlet__tensors *file, const scarlet_space *space,
                                    const scarlet_supernet_settings *settings, scarlet_error *err)
{
    scarlet__supernet net;
    uint64_t bytes = 0;
    scarlet_status status =
        scarlet__supernet_make(space, settings->let != 0, settings->share, &net, err);
    for (size_t i = 0; i < net.tensors; i++)
        bytes += STATES * sizeof(float) * (uint64_t)net.tensor[i].count;
    const bool same = file->count == STATES * net.tensors && bytes <= file->source->size;
    scarlet__supernet_free(&net);
    return status == SCARLET_OK && !same ? damaged(file, "its tensors", err) : status;
}

static scarlet_status load(const scarlet__tensors *file, const scarlet_dataset *dataset,
                           uint32_t threads, scarlet_supernet **out, scarlet_error *err)
{
    const char *value[KEYS];
    for (int i = 0; i < KEYS; i++) {
        value[i] = scarlet__tensors_metadata(file, key[i]);
        if (!value[i] || (i == 0 && strcmp(value[0], "1") != 0))
            return scarlet__fail(err, SCARLET_ERROR_FORMAT, "%s: not a supernet",
                                 file->source->name);
    }
    saved from;
    scarlet_space *space = NULL;
    if (!parse_state(value[3], &from))
        return damaged(file, "its state", err);
    scarlet_train_options *opts = scarlet_train_options_create();
    scarlet_status status = opts ? SCARLET_OK : scarlet__fail_memory(err);
    if (status == SCARLET_OK)
        status = scarlet__train_read_lines(value[5], opts, err);
    if (status == SCARLET_OK)
        status = make_space(&from, value, &space, err);
    if (status == SCARLET_ERROR_CORRUPT)
        scarlet__error_prefix(err, file->source->name);
    if (status == SCARLET_OK)
        status = check_tensors(file, space, &from.settings, err);
    if (status == SCARLET_OK)
        status = scarlet__supernet_prepare(space, dataset, &from.settings, opts, threads, out, err);
    if (status == SCARLET_OK && ((*out)->data != from.data || dataset->classes != from.classes))
        status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                               "%s: trained on other pictures or labels", file->source->name);
    if (status == SCARLET_OK &&
        (!parse_counts(value[4], *out) || from.step > (*out)->schedule.steps))
        status = damaged(file, "its counts", err);
    if (status == SCARLET_OK)
        status = load_tensors(*out, file, err);
    if (status == SCARLET_OK)
        (*out)->fair.steps = from.step;
    scarlet_train_options_free(opts);
    scarlet_space_free(space);
    return status;
}

scarlet_status scarlet_supernet_load(const char *path, const scarlet_dataset *dataset,
                                     uint32_t threads, scarlet_supernet **out, scarlet_error *err)
{
    if (!out)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!path || !dataset || threads > 256)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s",
                             !path     ? "path is NULL"
                             : dataset ? "more than 256 threads"
                                       : "dataset is NULL");
    scarlet__host host = scarlet__host_enter();
    scarlet__source source;
    scarlet__tensors *file = NULL;
    scarlet_status status = scarlet__source_open(path, &source, err);
    if (status == SCARLET_OK) {
        status = scarlet__tensors_open(&source, UINT64_MAX, &file, err);
        if (status == SCARLET_OK)
            status = load(file, dataset, threads, out, err);
        scarlet__tensors_free(file);
        scarlet__source_close(&source);
    }
    if (status != SCARLET_OK) {
        scarlet_supernet_free(*out);
        *out = NULL;
    }
    scarlet__host_leave(&host);
    return status;
}
