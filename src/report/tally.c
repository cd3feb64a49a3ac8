#include "tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

/* ---- shelves ---- */

static int by_index(const void *a, const void *b)
{
    const record *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static int by_confidence(const void *a, const void *b)
{
    const record *x = a, *y = b;
    float p = x->answer[0].confidence, q = y->answer[0].confidence;
    return p != q ? (p < q) - (p > q) : by_index(a, b);
}

static void shelf_open(shelf *s, size_t room, int (*order)(const void *, const void *))
{
    *s = (shelf){.item = cli_alloc(room, sizeof *s->item), .room = room, .order = order};
}

static void record_free(record *r)
{
    free(r->file);
    free(r->error);
}

void shelf_put(shelf *s, const record *r)
{
    size_t place = s->count;
    while (place && s->order(r, &s->item[place - 1]) < 0)
        place--;
    if (place == s->room)
        return;
    if (s->count == s->room)
        record_free(&s->item[--s->count]);
    memmove(s->item + place + 1, s->item + place, (s->count - place) * sizeof *s->item);
    s->item[place] = *r;
    s->item[place].file = cli_format("%s", r->file);
    s->item[place].error = r->error ? cli_format("%s", r->error) : NULL;
    s->count++;
}

static void shelf_close(shelf *s)
{
    for (size_t i = 0; i < s->count; i++)
        record_free(&s->item[i]);
    free(s->item);
}

/* ---- sums ---- */

void tally_open(tally *t, size_t classes, bool two)
{
    *t = (tally){.classes = classes, .top = classes < TOP ? classes : TOP, .two = two};
    t->per_class = cli_alloc(classes, sizeof *t->per_class);
    shelf_open(&t->worst, WORST, by_confidence);
    shelf_open(&t->failures, LISTED, by_index);
    shelf_open(&t->second.differ, LISTED, by_index);
}

void tally_close(tally *t)
{
    shelf_close(&t->worst);
    shelf_close(&t->failures);
    shelf_close(&t->second.differ);
    free(t->per_class);
    free(t->confusions);
}

static confusion *place_of(const tally *t, int64_t label, int64_t predicted)
{
    uint64_t key = (uint64_t)label * 0x9E3779B97F4A7C15u ^ (uint64_t)predicted;
    key = (key ^ key >> 29) * 0xBF58476D1CE4E5B9u;
    for (size_t i = (size_t)(key >> 32) & (t->room - 1);; i = (i + 1) & (t->room - 1)) {
        confusion *c = &t->confusions[i];
        if (!c->count || (c->label == label && c->predicted == predicted))
            return c;
    }
}

static void grow(tally *t)
{
    tally old = *t;
    t->room = old.room ? 2 * old.room : 64;
    t->confusions = cli_alloc(t->room, sizeof *t->confusions);
    for (size_t i = 0; i < old.room; i++)
        if (old.confusions[i].count)
            *place_of(t, old.confusions[i].label, old.confusions[i].predicted) = old.confusions[i];
    free(old.confusions);
}

void tally_confuse(tally *t, int64_t label, int64_t predicted, int64_t count)
{
    if (2 * t->used >= t->room)
        grow(t);
    confusion *c = place_of(t, label, predicted);
    t->used += !c->count;
    *c = (confusion){label, predicted, c->count + count};
}

static int by_count(const void *a, const void *b)
{
    const confusion *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

confusion *tally_confusions(const tally *t, size_t *count)
{
    confusion *all = cli_alloc(t->used, sizeof *all);
    *count = 0;
    for (size_t i = 0; i < t->room; i++)
        if (t->confusions[i].count)
            all[(*count)++] = t->confusions[i];
    qsort(all, *count, sizeof *all, by_count);
    return all;
}

void tally_row(const tally *t, size_t label, int64_t *count)
{
    for (size_t k = 0; k < t->classes; k++)
        count[k] = 0;
    if (t->room)
        for (size_t k = 0; k < t->classes; k++)
            count[k] = place_of(t, (int64_t)label, (int64_t)k)->count;
    count[label] = t->per_class[label].right;
}

static void compare(tally *t, const record *r, bool right)
{
    comparison *c = &t->second;
    bool other = r->answer[1].top[0] == r->label;
    c->right += other;
    c->hits += answer_hit(&r->answer[1], r->label, t->top);
    c->both += right && other;
    c->first_only += right && !other;
    c->second_only += !right && other;
    if (r->answer[0].top[0] == r->answer[1].top[0])
        c->agree++;
    else
        shelf_put(&c->differ, r);
}

void tally_add(tally *t, const record *r)
{
    if (r->error) {
        t->failed++;
        shelf_put(&t->failures, r);
        return;
    }
    const answer *a = &r->answer[0];
    bool right = a->top[0] == r->label, hit = answer_hit(a, r->label, t->top);
    t->total++;
    t->right += right;
    t->hits += hit;
    class_sums *c = &t->per_class[r->label];
    c->count++;
    c->right += right;
    c->hits += hit;
    double confidence = isfinite(a->confidence) ? (double)a->confidence : 0;
    size_t b = (size_t)(confidence * BINS);
    b = b < BINS ? b : BINS - 1;
    t->bins[b].count++;
    t->bins[b].right += right;
    t->bins[b].confidence += llround(confidence * 1e9);
    if (!right) {
        tally_confuse(t, r->label, a->top[0], 1);
        shelf_put(&t->worst, r);
    }
    if (t->two)
        compare(t, r, right);
}

double calibration_error(const tally *t)
{
    double sum = 0;
    for (size_t i = 0; i < BINS; i++)
        sum += fabs((double)t->bins[i].right - (double)t->bins[i].confidence * 1e-9);
    return t->total ? sum / (double)t->total : 0;
}
