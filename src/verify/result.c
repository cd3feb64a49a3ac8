#include "result.h"

#include <stdlib.h>

#include "common/json_write.h"
#include "report/statistics.h"

static void print_share(FILE *out, size_t top, int64_t part, int64_t whole)
{
    double bounds[2];
    wilson(part, whole, bounds);
    fprintf(out, "Top-%zu  %6.2f %%  (95 %% confidence interval: %.2f to %.2f %%)\n", top,
            percent(part, whole), bounds[0], bounds[1]);
}

static void print_comparison(const result *r, FILE *out)
{
    const tally *t = &r->tally;
    const comparison *c = &t->second;
    fprintf(out, "Second model:    Total: %lld\tmTop1: %.4f\tmTop%zu: %.6f\n", (long long)t->total,
            percent(c->right, t->total), t->top, percent(c->hits, t->total));
    fprintf(out,
            "Agreement: %.4f\tboth right: %lld\tfirst only: %lld\tsecond only: %lld\t"
            "McNemar p: %.4g\n",
            percent(c->agree, t->total), (long long)c->both, (long long)c->first_only,
            (long long)c->second_only, mcnemar(c->first_only, c->second_only));
}

void result_print(const result *r, bool summary, FILE *out)
{
    const tally *t = &r->tally;
    if (summary) {
        fprintf(out, "%lld picture%s, %lld right\n", (long long)t->total, t->total == 1 ? "" : "s",
                (long long)t->right);
        print_share(out, 1, t->right, t->total);
        if (t->top > 1)
            print_share(out, t->top, t->hits, t->total);
    }
    if (t->two)
        print_comparison(r, out);
    fprintf(out, "Evaluate Result: Total: %lld\tmTop1: %.4f\tmTop%zu: %.6f\n", (long long)t->total,
            percent(t->right, t->total), t->top, percent(t->hits, t->total));
}

/* ---- JSON ---- */

static void put_integer(json *j, const char *key, int64_t value)
{
    json_key(j, key);
    json_integer(j, value);
}

static void put_double(json *j, const char *key, double value)
{
    json_key(j, key);
    json_double(j, value);
}

static void put_text(json *j, const char *key, const char *text)
{
    json_key(j, key);
    json_text(j, text);
}

static void put_contestant(json *j, const char *key, const contestant *c)
{
    json_key(j, key);
    json_open(j, '{');
    put_text(j, "file", c->file);
    put_text(j, "name", c->name);
    put_text(j, "precision", c->precision);
    put_text(j, "options", c->settings);
    put_text(j, "identity", c->identity);
    json_close(j, '}');
}

static void put_interval(json *j, const char *key, int64_t part, int64_t whole)
{
    double bounds[2];
    wilson(part, whole, bounds);
    json_key(j, key);
    json_open(j, '[');
    json_double(j, bounds[0]);
    json_double(j, bounds[1]);
    json_close(j, ']');
}

static void put_shelf(json *j, const char *key, const shelf *s, const tally *t)
{
    json_key(j, key);
    json_open(j, '[');
    for (size_t i = 0; i < s->count; i++)
        record_write(j, &s->item[i], t->top, t->two);
    json_close(j, ']');
}

static void put_classes(json *j, const tally *t, const cli_names *names)
{
    json_key(j, "per_class");
    json_open(j, '[');
    for (size_t i = 0; i < t->classes; i++) {
        const class_sums *c = &t->per_class[i];
        if (!c->count)
            continue;
        json_open(j, '{');
        put_integer(j, "class", (int64_t)i);
        put_text(j, "name", names ? cli_name(names, (int32_t)i) : NULL);
        put_integer(j, "total", c->count);
        put_integer(j, "top1", c->right);
        put_integer(j, "topn", c->hits);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* All of them: those of a merge come from here. */
static void put_names(json *j, const tally *t, const cli_names *names)
{
    if (!names || !cli_names_own(names))
        return;
    json_key(j, "names");
    json_open(j, '[');
    for (size_t i = 0; i < t->classes; i++)
        json_text(j, cli_name(names, (int32_t)i));
    json_close(j, ']');
}

static void put_bins(json *j, const tally *t)
{
    json_key(j, "bins");
    json_open(j, '[');
    for (size_t i = 0; i < BINS; i++) {
        json_open(j, '{');
        put_integer(j, "total", t->bins[i].count);
        put_integer(j, "top1", t->bins[i].right);
        put_integer(j, "confidence_1e9", t->bins[i].confidence);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_confusions(json *j, const tally *t)
{
    size_t count;
    confusion *all = tally_confusions(t, &count);
    json_key(j, "confusions");
    json_open(j, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(j, '[');
        json_integer(j, all[i].label);
        json_integer(j, all[i].predicted);
        json_integer(j, all[i].count);
        json_close(j, ']');
    }
    json_close(j, ']');
    free(all);
}

static void put_comparison(json *j, const result *r)
{
    const tally *t = &r->tally;
    const comparison *c = &t->second;
    json_key(j, "compare");
    json_open(j, '{');
    put_contestant(j, "model", &r->other);
    put_integer(j, "top1", c->right);
    put_integer(j, "topn", c->hits);
    put_integer(j, "agree", c->agree);
    put_integer(j, "both", c->both);
    put_integer(j, "first_only", c->first_only);
    put_integer(j, "second_only", c->second_only);
    put_double(j, "mTop1", percent(c->right, t->total));
    put_double(j, "mTopn", percent(c->hits, t->total));
    put_double(j, "agreement", percent(c->agree, t->total));
    put_double(j, "mcnemar_p", mcnemar(c->first_only, c->second_only));
    put_shelf(j, "differ", &c->differ, t);
    json_close(j, '}');
}

static void put_shards(json *j, const result *r)
{
    json_key(j, "shards");
    json_open(j, '{');
    put_integer(j, "of", (int64_t)r->shards);
    json_key(j, "present");
    json_open(j, '[');
    for (size_t i = 0; i < r->shards; i++)
        if (r->shard[i])
            json_integer(j, (int64_t)i);
    json_close(j, ']');
    json_close(j, '}');
}

void result_json(const result *r, const cli_names *names, FILE *out)
{
    const tally *t = &r->tally;
    json j = {.out = out};
    json_open(&j, '{');
    put_text(&j, "format", "scarlet-verify-1");
    put_contestant(&j, "model", &r->model);
    put_text(&j, "data", r->data);
    put_shards(&j, r);
    json_key(&j, "complete");
    json_bool(&j, r->complete);
    put_integer(&j, "classes", (int64_t)t->classes);
    put_integer(&j, "n", (int64_t)t->top);
    put_integer(&j, "total", t->total);
    put_integer(&j, "top1", t->right);
    put_integer(&j, "topn", t->hits);
    put_integer(&j, "failed", t->failed);
    put_double(&j, "mTop1", percent(t->right, t->total));
    put_double(&j, "mTopn", percent(t->hits, t->total));
    put_interval(&j, "top1_interval", t->right, t->total);
    put_interval(&j, "topn_interval", t->hits, t->total);
    put_double(&j, "ece", calibration_error(t));
    put_integer(&j, "workers", (int64_t)r->workers);
    put_integer(&j, "timed", r->timed);
    put_double(&j, "seconds", r->seconds);
    put_double(&j, "pictures_per_second", r->seconds > 0 ? (double)r->timed / r->seconds : 0);
    put_text(&j, "date", r->origin.date);
    put_text(&j, "machine", r->origin.machine);
    put_text(&j, "library", r->origin.library);
    put_names(&j, t, names);
    put_bins(&j, t);
    put_classes(&j, t, names);
    put_confusions(&j, t);
    put_shelf(&j, "worst", &t->worst, t);
    put_shelf(&j, "failures", &t->failures, t);
    if (t->two)
        put_comparison(&j, r);
    json_close(&j, '}');
    json_end(&j);
}

static void contestant_free(contestant *c)
{
    free(c->file);
    free(c->name);
    free(c->identity);
    free(c->precision);
    free(c->settings);
    free(c->bytes);
}

void result_free(result *r)
{
    contestant_free(&r->model);
    contestant_free(&r->other);
    free(r->data);
    for (size_t i = 0; r->names && i < r->tally.classes; i++)
        free(r->names[i]);
    free(r->names);
    free(r->shard);
    origin_free(&r->origin);
    tally_close(&r->tally);
}
