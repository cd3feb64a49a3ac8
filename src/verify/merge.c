#include "merge.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json_read.h"
#include "common/message.h"
#include "common/whole.h"

#define PICTURES_MAX 1000000000000 /* the cost of a statistic grows with their number */

/* One file of `scarlet verify --json`. */
typedef struct part {
    const char *path;
    char *text;
    json_doc doc;
    const json_node *top;
} part;

static void part_read(part *p, const char *path)
{
    *p = (part){.path = path};
    size_t size;
    int error = read_whole(path, &p->text, &size);
    if (error)
        cli_refuse(p->path, "%s", strerror(error));
    const char *format = NULL;
    if (json_parse(&p->doc, after_mark(p->text))) {
        p->top = p->doc.node;
        format = json_get_text(&p->doc, p->top, "format");
    }
    if (!format || strcmp(format, "scarlet-verify-1") != 0)
        cli_refuse(p->path, "not a result of scarlet verify --json");
}

static void part_free(part *p)
{
    json_doc_free(&p->doc);
    free(p->text);
}

static int64_t integer(const part *p, const json_node *object, const char *key)
{
    int64_t value;
    if (!json_get_integer(&p->doc, object, key, 0, &value))
        cli_refuse(p->path, "\"%s\" is missing or not a count", key);
    return value;
}

static char *text(const part *p, const json_node *object, const char *key)
{
    const char *found = json_get_text(&p->doc, object, key);
    if (!found)
        cli_refuse(p->path, "\"%s\" is missing", key);
    return cli_format("%s", found);
}

/* Adds a count of some of `all`, and returns it. */
static int64_t add_some(const part *p, const json_node *object, const char *key, int64_t all,
                        int64_t *sum)
{
    int64_t count = integer(p, object, key);
    if (count > all)
        cli_refuse(p->path, "\"%s\" is %lld of %lld", key, (long long)count, (long long)all);
    if (__builtin_add_overflow(*sum, count, sum))
        cli_refuse(p->path, "\"%s\" is too large", key);
    return count;
}

static int64_t add(const part *p, const json_node *object, const char *key, int64_t *sum)
{
    return add_some(p, object, key, INT64_MAX, sum);
}

static contestant read_contestant(const part *p, const json_node *object)
{
    return (contestant){.file = text(p, object, "file"),
                        .name = text(p, object, "name"),
                        .identity = text(p, object, "identity"),
                        .precision = text(p, object, "precision"),
                        .settings = text(p, object, "options")};
}

/* Results of version 0.1 have none. */
static char *optional_text(const part *p, const char *key)
{
    const char *found = json_get_text(&p->doc, p->top, key);
    return cli_format("%s", found ? found : "");
}

static origin read_origin(const part *p)
{
    return (origin){optional_text(p, "date"), optional_text(p, "library"),
                    optional_text(p, "machine")};
}

/* Takes from the first part what all parts must share. */
static void begin(result *r, const part *p)
{
    enum { CLASSES_MAX = 1000000 }; /* as many as the library loads */
    const json_node *shards = json_get(&p->doc, p->top, "shards", '{');
    const json_node *compare = json_get(&p->doc, p->top, "compare", '{');
    int64_t classes = integer(p, p->top, "classes"), of = integer(p, shards, "of");
    if (classes < 1 || classes > CLASSES_MAX || of < 1 || of > SHARDS_MAX)
        cli_refuse(p->path, "impossible numbers of classes or shards");
    *r = (result){.complete = true, .shards = (size_t)of};
    r->model = read_contestant(p, json_get(&p->doc, p->top, "model", '{'));
    if (compare)
        r->other = read_contestant(p, json_get(&p->doc, compare, "model", '{'));
    r->origin = read_origin(p);
    r->data = text(p, p->top, "data");
    r->shard = cli_alloc(r->shards, sizeof *r->shard);
    tally_open(&r->tally, (size_t)classes, compare != NULL);
}

static void same(const part *p, const char *what, const char *a, const char *b)
{
    if (strcmp(a ? a : "", b ? b : "") != 0)
        cli_refuse(p->path, "comes from a different %s than the first: \"%s\", not \"%s\"", what,
                   b ? b : "", a ? a : "");
}

static void check(const result *r, const part *p)
{
    const json_node *compare = json_get(&p->doc, p->top, "compare", '{');
    const json_node *model = json_get(&p->doc, p->top, "model", '{');
    const json_node *other = json_get(&p->doc, compare, "model", '{');
    same(p, "model", r->model.identity, json_get_text(&p->doc, model, "identity"));
    same(p, "model to compare", r->other.identity, json_get_text(&p->doc, other, "identity"));
    if (integer(p, p->top, "classes") != (int64_t)r->tally.classes ||
        integer(p, json_get(&p->doc, p->top, "shards", '{'), "of") != (int64_t)r->shards)
        cli_refuse(p->path, "has a different number of classes or shards than the first");
}

static void add_shards(result *r, const part *p)
{
    const json_node *shards = json_get(&p->doc, p->top, "shards", '{');
    const json_node *present = json_get(&p->doc, shards, "present", '[');
    for (const json_node *i = json_first(&p->doc, present); i; i = json_next(&p->doc, present, i)) {
        int64_t number;
        if (!json_read_integer(i, 0, &number) || number >= (int64_t)r->shards)
            cli_refuse(p->path, "\"present\" contains something that is not a shard");
        if (r->shard[number])
            cli_refuse(p->path, "shard %lld of %zu is already counted", (long long)number,
                       r->shards);
        r->shard[number] = true;
    }
}

/* Of the first part that has them. */
static void add_names(result *r, const part *p)
{
    const json_node *array = json_get(&p->doc, p->top, "names", '[');
    if (!array || r->names)
        return;
    r->names = cli_alloc(r->tally.classes, sizeof(char *));
    size_t i = 0;
    for (const json_node *name = json_first(&p->doc, array); name && i < r->tally.classes;
         name = json_next(&p->doc, array, name), i++)
        if (name->kind == '"')
            r->names[i] = cli_format("%s", name->text);
}

static void add_bins(tally *t, const part *p)
{
    const int64_t whole = 1000000000;
    const json_node *bins = json_get(&p->doc, p->top, "bins", '[');
    const json_node *b = json_first(&p->doc, bins);
    for (size_t i = 0; i < BINS; i++, b = b ? json_next(&p->doc, bins, b) : NULL) {
        int64_t all = add_some(p, b, "total", PICTURES_MAX, &t->bins[i].count);
        add_some(p, b, "top1", all, &t->bins[i].right);
        add_some(p, b, "confidence_1e9", all < INT64_MAX / whole ? whole * all : INT64_MAX,
                 &t->bins[i].confidence);
    }
}

static void add_classes(tally *t, const part *p)
{
    const json_node *array = json_get(&p->doc, p->top, "per_class", '[');
    for (const json_node *c = json_first(&p->doc, array); c; c = json_next(&p->doc, array, c)) {
        int64_t number = integer(p, c, "class");
        if (number >= (int64_t)t->classes)
            cli_refuse(p->path, "class %lld of %zu", (long long)number, t->classes);
        int64_t all = add(p, c, "total", &t->per_class[number].count);
        int64_t hits = add_some(p, c, "topn", all, &t->per_class[number].hits);
        add_some(p, c, "top1", hits, &t->per_class[number].right);
    }
}

static void add_confusions(tally *t, const part *p)
{
    const json_node *array = json_get(&p->doc, p->top, "confusions", '[');
    for (const json_node *c = json_first(&p->doc, array); c; c = json_next(&p->doc, array, c)) {
        int64_t value[3] = {-1, -1, -1};
        const json_node *item = json_first(&p->doc, c);
        for (int i = 0; i < 3 && item; i++, item = json_next(&p->doc, c, item))
            json_read_integer(item, 0, &value[i]);
        if (value[0] < 0 || value[1] < 0 || value[2] < 1 || value[0] >= (int64_t)t->classes ||
            value[1] >= (int64_t)t->classes || value[2] > INT32_MAX)
            cli_refuse(p->path, "\"confusions\" contains something that is not a confusion");
        tally_confuse(t, value[0], value[1], value[2]);
    }
}

static void add_shelf(const tally *t, shelf *s, const part *p, const json_node *object,
                      const char *key)
{
    const json_node *array = json_get(&p->doc, object, key, '[');
    for (const json_node *i = json_first(&p->doc, array); i; i = json_next(&p->doc, array, i)) {
        record r;
        if (!record_read(&p->doc, i, &r, t->top, t->two))
            cli_refuse(p->path, "\"%s\" contains something that is not a record", key);
        shelf_put(s, &r);
    }
}

static void add_comparison(tally *t, const part *p, int64_t all)
{
    const json_node *compare = json_get(&p->doc, p->top, "compare", '{');
    comparison *c = &t->second;
    int64_t hits = add_some(p, compare, "topn", all, &c->hits);
    add_some(p, compare, "top1", hits, &c->right);
    add_some(p, compare, "agree", all, &c->agree);
    add_some(p, compare, "both", all, &c->both);
    add_some(p, compare, "first_only", all, &c->first_only);
    add_some(p, compare, "second_only", all, &c->second_only);
    add_shelf(t, &c->differ, p, compare, "differ");
}

static void add_part(result *r, const part *p)
{
    tally *t = &r->tally;
    check(r, p);
    add_shards(r, p);
    add_names(r, p);
    int64_t all = add(p, p->top, "total", &t->total);
    if (t->total > PICTURES_MAX)
        cli_refuse(p->path, "\"total\" is too large");
    int64_t hits = add_some(p, p->top, "topn", all, &t->hits);
    add_some(p, p->top, "top1", hits, &t->right);
    add(p, p->top, "failed", &t->failed);
    add(p, p->top, "timed", &r->timed);
    int64_t workers = integer(p, p->top, "workers");
    r->workers = (size_t)workers > r->workers ? (size_t)workers : r->workers;
    const json_node *seconds = json_get(&p->doc, p->top, "seconds", '0');
    double value = seconds ? strtod(seconds->text, NULL) : 0;
    r->seconds += value > 0 ? value : 0; /* the rate is that of a shard, not of all at once */
    origin own = read_origin(p);
    origin_join(&r->origin, &own);
    origin_free(&own);
    r->complete &= json_get(&p->doc, p->top, "complete", 't') != NULL;
    add_bins(t, p);
    add_classes(t, p);
    add_confusions(t, p);
    add_shelf(t, &t->worst, p, p->top, "worst");
    add_shelf(t, &t->failures, p, p->top, "failures");
    if (t->two)
        add_comparison(t, p, all);
}

size_t result_merge(result *r, char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        part p;
        part_read(&p, paths[i]);
        if (i == 0)
            begin(r, &p);
        add_part(r, &p);
        part_free(&p);
    }
    size_t missing = 0, first = 0;
    for (size_t i = r->shards; i > 0; i--)
        if (!r->shard[i - 1]) {
            missing++;
            first = i - 1;
        }
    if (missing)
        cli_error("%zu of %zu shards are missing, the first is %zu", missing, r->shards, first);
    if (!r->complete)
        cli_error("some shards are not complete: resume them");
    return missing;
}
