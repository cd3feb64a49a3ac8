#include "nas/train/checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"
#include "formats/open.h"
#include "formats/safetensors_write.h"
#include "nas/data/digest.h"
#include "nas/real.h"

static const struct {
    scarlet__state state;
    const char *prefix;
} states[] = {
    {SCARLET__WEIGHTS, "weights/"},
    {SCARLET__AVERAGE, "average/"},
    {SCARLET__MOMENT_1, "moment1/"},
    {SCARLET__MOMENT_2, "moment2/"},
};
enum { STATES = sizeof states / sizeof *states, PIECE = 1024 };

void scarlet__progress_clear(scarlet__progress *p)
{
    scarlet_train_options_free(p->options);
    scarlet__free(p->rows);
    *p = (scarlet__progress){0};
}

static bool holds(const scarlet__trainer *t, size_t state, size_t tensor)
{
    bool moment =
        states[state].state == SCARLET__MOMENT_1 || states[state].state == SCARLET__MOMENT_2;
    return scarlet__trainer_has(t, states[state].state) &&
           !(moment && scarlet__trainer_describe(t, tensor).statistic);
}

/* ---- fields ---- */

/* Numbers of the progress as metadata, doubles by their bits. */
enum { STEP, STEPS, LOSS, BEST, BEST_EPOCH, EPOCH, FINISHED, DATA, NUMBERS };
static const char *const number_key[NUMBERS] = {
    "train.step",       "train.steps", "train.loss",     "train.best",
    "train.best_epoch", "train.epoch", "train.finished", "train.data",
};
static const char version_key[] = "train.checkpoint", options_key[] = "train.options",
                  rows_key[] = "train.results", digest_key[] = "train.digest";
enum { OTHER_KEYS = 4 };

static void to_numbers(const scarlet__progress *p, uint64_t number[NUMBERS])
{
    number[STEP] = (uint64_t)p->step;
    number[STEPS] = (uint64_t)p->steps;
    number[LOSS] = scarlet__real_bits(p->loss);
    number[BEST] = scarlet__real_bits(p->best);
    number[BEST_EPOCH] = (uint64_t)p->best_epoch;
    number[EPOCH] = (uint64_t)p->epoch;
    number[FINISHED] = p->finished;
    number[DATA] = p->data;
}

static void from_numbers(const uint64_t number[NUMBERS], scarlet__progress *p)
{
    p->step = (int64_t)number[STEP];
    p->steps = (int64_t)number[STEPS];
    p->loss = scarlet__real_of_bits(number[LOSS]);
    p->best = scarlet__real_of_bits(number[BEST]);
    p->best_epoch = (int64_t)number[BEST_EPOCH];
    p->epoch = (int64_t)number[EPOCH];
    p->finished = number[FINISHED];
    p->data = number[DATA];
}

static bool sane(const scarlet__progress *p)
{
    const int64_t most = INT64_C(1) << 53;
    return p->step >= 0 && p->step <= most && p->steps >= 0 && p->steps <= most && p->epoch >= 0 &&
           p->epoch <= p->step && p->best_epoch >= 0 && p->best_epoch <= p->epoch &&
           isfinite(p->loss) && !isinf(p->best);
}

/* Of all metadata but the digest itself. */
static uint64_t digest_text(const char *const *key, const char *const *value, size_t count)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(key[i], digest_key) != 0) {
            digest = scarlet__digest_text(digest, key[i]);
            digest = scarlet__digest_text(digest, value[i]);
        }
    return digest;
}

static uint64_t digest_tensors(const scarlet__trainer *t, uint64_t digest)
{
    float piece[PIECE];
    for (size_t s = 0; s < STATES; s++)
        for (size_t i = 0; i < scarlet__trainer_tensors(t); i++) {
            int64_t count = scarlet__trainer_describe(t, i).count;
            for (int64_t at = 0, n; holds(t, s, i) && at < count; at += n) {
                n = count - at < PIECE ? count - at : PIECE;
                scarlet__trainer_read(t, states[s].state, i, at, (size_t)n, piece);
                digest = scarlet__digest(digest, piece, (size_t)n * sizeof *piece);
            }
        }
    return digest;
}

/* ---- writing ---- */

typedef struct {
    const scarlet__trainer *trainer;
    scarlet__entry *entry;
    char (*name)[160];
    struct {
        uint8_t state;
        size_t tensor;
    } * of; /* each entry */
    size_t count;
} listing;

static scarlet_status list_entries(listing *l, scarlet_error *err)
{
    size_t tensors = scarlet__trainer_tensors(l->trainer);
    l->entry = scarlet__alloc(tensors, STATES * sizeof *l->entry);
    l->name = scarlet__alloc(tensors, STATES * sizeof *l->name);
    l->of = scarlet__alloc(tensors, STATES * sizeof *l->of);
    if (!l->entry || !l->name || !l->of)
        return scarlet__fail_memory(err);
    for (size_t s = 0; s < STATES; s++)
        for (size_t i = 0; i < tensors; i++) {
            if (!holds(l->trainer, s, i))
                continue;
            scarlet__trainer_tensor t = scarlet__trainer_describe(l->trainer, i);
            snprintf(l->name[l->count], sizeof *l->name, "%s%s", states[s].prefix, t.name);
            scarlet__entry *e = &l->entry[l->count];
            *e = (scarlet__entry){.name = l->name[l->count], .dtype = SCARLET__F32, .rank = t.rank};
            memcpy(e->shape, t.shape, sizeof t.shape);
            l->of[l->count].state = (uint8_t)s;
            l->of[l->count++].tensor = i;
        }
    return SCARLET_OK;
}

static scarlet_status elements(void *user, size_t index, uint64_t first, size_t count, void *out,
                               scarlet_error *err)
{
    const listing *l = user;
    (void)err;
    scarlet__trainer_read(l->trainer, states[l->of[index].state].state, l->of[index].tensor,
                          (int64_t)first, count, out);
    return SCARLET_OK;
}

scarlet_status scarlet__checkpoint_write(const char *path, const scarlet__trainer *trainer,
                                         const scarlet__progress *progress, scarlet_error *err)
{
    const char *key[NUMBERS + OTHER_KEYS], *value[NUMBERS + OTHER_KEYS];
    char text[NUMBERS + 1][24];
    uint64_t number[NUMBERS];
    size_t count = 0;
    char *lines = scarlet__train_lines(progress->options);
    listing l = {.trainer = trainer};
    scarlet_status status = lines ? list_entries(&l, err) : scarlet__fail_memory(err);
    if (status == SCARLET_OK) {
        key[count] = version_key;
        value[count++] = "1";
        to_numbers(progress, number);
        for (int i = 0; i < NUMBERS; i++) {
            snprintf(text[i], sizeof text[i], "%" PRIu64, number[i]);
            key[count] = number_key[i];
            value[count++] = text[i];
        }
        key[count] = options_key;
        value[count++] = lines;
        key[count] = rows_key;
        value[count++] = progress->rows ? progress->rows : "";
        uint64_t digest = digest_tensors(trainer, digest_text(key, value, count));
        snprintf(text[NUMBERS], sizeof text[NUMBERS], "%" PRIu64, digest);
        key[count] = digest_key;
        value[count++] = text[NUMBERS];
        const scarlet__contents contents = {.key = key,
                                            .value = value,
                                            .metadata_count = count,
                                            .entry = l.entry,
                                            .count = l.count,
                                            .elements = elements,
                                            .user = &l};
        status = scarlet__safetensors_write(path, &contents, err);
    }
    scarlet__free(lines);
    scarlet__free(l.entry);
    scarlet__free(l.name);
    scarlet__free(l.of);
    return status;
}

/* ---- reading ---- */

struct scarlet__checkpoint {
    scarlet__source source;
    scarlet__tensors *tensors;
    uint64_t digest;
};

static bool parse_number(const char *text, uint64_t *out)
{
    uint64_t x = 0;
    if (!text || !*text)
        return false;
    for (; *text; text++)
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(x, 10u, &x) ||
            __builtin_add_overflow(x, (uint64_t)(*text - '0'), &x))
            return false;
    *out = x;
    return true;
}

static scarlet_status damaged(const scarlet__checkpoint *c, const char *what, scarlet_error *err)
{
    return scarlet__fail(err, SCARLET_ERROR_CORRUPT, "%s: damaged checkpoint: %s", c->source.name,
                         what);
}

static scarlet_status read_fields(scarlet__checkpoint *c, scarlet__progress *p, scarlet_error *err)
{
    const scarlet__tensors *t = c->tensors;
    const char *version = scarlet__tensors_metadata(t, version_key);
    if (!version)
        return scarlet__fail(err, SCARLET_ERROR_FORMAT, "%s: not a checkpoint of a training",
                             c->source.name);
    if (strcmp(version, "1") != 0)
        return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED,
                             "%s: a checkpoint of version \"%.20s\"; this library reads \"1\"",
                             c->source.name, version);
    uint64_t number[NUMBERS];
    for (int i = 0; i < NUMBERS; i++)
        if (!parse_number(scarlet__tensors_metadata(t, number_key[i]), &number[i]))
            return damaged(c, number_key[i], err);
    from_numbers(number, p);
    const char *options = scarlet__tensors_metadata(t, options_key);
    const char *rows = scarlet__tensors_metadata(t, rows_key);
    if (!parse_number(scarlet__tensors_metadata(t, digest_key), &c->digest) || !options || !rows ||
        !sane(p))
        return damaged(c, "its metadata", err);
    p->options = scarlet_train_options_create();
    p->rows = scarlet__strdup(rows);
    if (!p->options || !p->rows)
        return scarlet__fail_memory(err);
    scarlet_error why;
    scarlet_status status = scarlet__train_read_lines(options, p->options, &why);
    if (status == SCARLET_ERROR_MEMORY)
        return scarlet__fail_memory(err);
    return status == SCARLET_OK ? SCARLET_OK : damaged(c, why.message, err);
}

scarlet_status scarlet__checkpoint_open(const char *path, scarlet__checkpoint **out,
                                        scarlet__progress *progress, scarlet_error *err)
{
    *out = NULL;
    *progress = (scarlet__progress){0};
    scarlet__checkpoint *c = scarlet__calloc(1, sizeof *c);
    if (!c)
        return scarlet__fail_memory(err);
    scarlet_status status = scarlet__source_open(path, &c->source, err);
    if (status == SCARLET_OK)
        status = scarlet__tensors_open(&c->source, UINT64_MAX, &c->tensors, err);
    if (status == SCARLET_OK)
        status = read_fields(c, progress, err);
    if (status != SCARLET_OK) {
        scarlet__progress_clear(progress);
        scarlet__checkpoint_close(c);
        return status;
    }
    *out = c;
    return SCARLET_OK;
}

scarlet_status scarlet__checkpoint_load(scarlet__checkpoint *c, scarlet__trainer *trainer,
                                        scarlet_error *err)
{
    const scarlet__tensors *t = c->tensors;
    for (size_t s = 0; s < STATES; s++) {
        if (!scarlet__trainer_has(trainer, states[s].state))
            continue;
        scarlet_status status =
            scarlet__trainer_load(trainer, states[s].state, t, states[s].prefix, err);
        if (status != SCARLET_OK)
            return status;
    }
    uint64_t digest =
        digest_text((const char *const *)t->key, (const char *const *)t->value, t->metadata_count);
    if (digest_tensors(trainer, digest) != c->digest)
        return damaged(c, "its values are not those that were written", err);
    return SCARLET_OK;
}

void scarlet__checkpoint_close(scarlet__checkpoint *c)
{
    if (!c)
        return;
    scarlet__tensors_free(c->tensors);
    scarlet__source_close(&c->source);
    scarlet__free(c);
}
