#include "report.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/message.h"
#include "html.h"
#include "pictures/feed.h"
#include "pictures/thumbnail.h"
#include "plots.h"
#include "statistics.h"

enum { PAIRS_SHOWN = 20 };

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--card:#f4f5f7;--text:#1c2330;--dim:#5b6575;"
    "--line:#d5d9e0;--right:#2f6fb3;--wrong:#d9822b;--ideal:#8a93a3}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#14171c;--card:#1e232b;--text:#e6e9ee;"
    "--dim:#9aa4b2;--line:#343b46;--right:#5b9de0;--wrong:#e89a4a;--ideal:#76808f}}\n"
    "*{box-sizing:border-box}body{margin:0 "
    "auto;max-width:1000px;padding:16px;background:var(--page);"
    "color:var(--text);font:16px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.5em;margin:.3em 0}h2{font-size:1.15em;margin:1.6em 0 .5em}"
    "p{margin:.4em 0}.dim,figcaption{color:var(--dim);font-size:.88em}\n"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:10px}"
    ".card{background:var(--card);border-radius:8px;padding:10px 12px}"
    ".card b{display:block;font-size:1.45em;font-variant-numeric:tabular-nums}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(320px,100%),1fr));gap:"
    "16px}"
    "figure{margin:0}svg{width:100%;max-width:480px;height:auto;display:block}\n"
    ".right{fill:var(--right)}.wrong{fill:var(--wrong)}.dot{fill:var(--text)}"
    ".grid{stroke:var(--line);fill:none}.ideal{stroke:var(--ideal);stroke-dasharray:4 3;fill:none}"
    ".tick{fill:var(--dim);font:11px system-ui,sans-serif}\n"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;padding:4px 8px;border-bottom:1px solid var(--line)}"
    ".n{text-align:right}.scroll{overflow-x:auto}summary{cursor:pointer;padding:6px 0}\n"
    ".worst{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px}"
    ".worst figure{background:var(--card);border-radius:8px;padding:8px}"
    ".worst img{display:block;margin:0 auto 6px;max-width:100%;height:auto}\n";

/* ---- parts ---- */

static void percent_card(FILE *out, const char *id, const char *name, int64_t part, int64_t whole)
{
    double bounds[2];
    wilson(part, whole, bounds);
    char *note = cli_format("95 %%: %.2f to %.2f", bounds[0], bounds[1]);
    fprintf(out,
            "<div class=\"card\">%s<b id=\"%s\">%.4f %%</b><span class=\"dim\" "
            "id=\"%s-interval\">%s</span></div>\n",
            name, id, percent(part, whole), id, note);
    free(note);
}

static void number_card(FILE *out, const char *id, const char *name, const char *note,
                        int64_t value)
{
    fprintf(out, "<div class=\"card\">%s<b id=\"%s\">%lld</b><span class=\"dim\">%s</span></div>\n",
            name, id, (long long)value, note);
}

static void put_cards(FILE *out, const result *r)
{
    const tally *t = &r->tally;
    char *top = cli_format("Top-%zu", t->top);
    fputs("<div class=\"cards\">\n", out);
    percent_card(out, "top1", "Top-1", t->right, t->total);
    percent_card(out, "topn", top, t->hits, t->total);
    fprintf(out,
            "<div class=\"card\">Calibration error<b id=\"ece\">%.4f</b>"
            "<span class=\"dim\">expected (ECE), %d bins</span></div>\n",
            calibration_error(t), BINS);
    number_card(out, "total", "Pictures", "evaluated", t->total);
    number_card(out, "failed", "Failed", "not counted", t->failed);
    fprintf(out,
            "<div class=\"card\">Pictures a second<b id=\"rate\">%.1f</b>"
            "<span class=\"dim\">%lld in %.1f s, %zu at once</span></div>\n</div>\n",
            r->seconds > 0 ? (double)r->timed / r->seconds : 0, (long long)r->timed, r->seconds,
            r->workers);
    free(top);
}

/* A class with its number, to be sorted. */
typedef struct ranked {
    class_sums sums;
    size_t class_id;
} ranked;

static int by_accuracy(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    double p = percent(x->sums.right, x->sums.count), q = percent(y->sums.right, y->sums.count);
    if (p != q)
        return p < q ? -1 : 1;
    return (x->class_id > y->class_id) - (x->class_id < y->class_id);
}

static void put_classes(FILE *out, const tally *t, const cli_names *names)
{
    ranked *all = cli_alloc(t->classes, sizeof *all);
    class_sums *sums = cli_alloc(t->classes, sizeof *sums);
    size_t count = 0;
    for (size_t i = 0; i < t->classes; i++)
        if (t->per_class[i].count)
            all[count++] = (ranked){t->per_class[i], i};
    qsort(all, count, sizeof *all, by_accuracy);
    for (size_t i = 0; i < count; i++)
        sums[i] = all[i].sums;
    fputs("<h2>Classes</h2>\n<div class=\"plots\"><figure>", out);
    plot_classes(out, sums, count);
    fprintf(out,
            "</figure></div>\n<details><summary>All %zu classes</summary><div class=\"scroll\">"
            "<table id=\"classes\"><tr><th>Class<th class=\"n\">Pictures<th class=\"n\">Top-1 %%"
            "<th class=\"n\">Top-%zu %%</tr>\n",
            count, t->top);
    for (size_t i = 0; i < count; i++) {
        fputs("<tr><td>", out);
        html_class(out, names, (int64_t)all[i].class_id);
        fprintf(out, "<td class=\"n\">%lld<td class=\"n\">%.2f<td class=\"n\">%.2f</tr>\n",
                (long long)sums[i].count, percent(sums[i].right, sums[i].count),
                percent(sums[i].hits, sums[i].count));
    }
    fputs("</table></div></details>\n", out);
    free(all);
    free(sums);
}

static void put_confusions(FILE *out, const tally *t, const cli_names *names)
{
    size_t count;
    confusion *all = tally_confusions(t, &count);
    fputs(
        "<h2>Most confused</h2>\n<div class=\"scroll\"><table id=\"confusions\">"
        "<tr><th>Right<th>Predicted<th class=\"n\">Pictures<th class=\"n\">% of the class</tr>\n",
        out);
    for (size_t i = 0; i < count && i < PAIRS_SHOWN; i++) {
        fputs("<tr><td>", out);
        html_class(out, names, all[i].label);
        fputs("<td>", out);
        html_class(out, names, all[i].predicted);
        fprintf(out, "<td class=\"n\">%lld<td class=\"n\">%.2f</tr>\n", (long long)all[i].count,
                percent(all[i].count, t->per_class[all[i].label].count));
    }
    fputs("</table></div>\n", out);
    free(all);
}

static void put_comparison(FILE *out, const result *r, const cli_names *names)
{
    const tally *t = &r->tally;
    const comparison *c = &t->second;
    double p = mcnemar(c->first_only, c->second_only);
    fputs("<h2>Second model</h2>\n<p>", out);
    html_text(out, r->other.file);
    fputs(" <span class=\"dim\">", out);
    html_text(out, r->other.name);
    fputs(", ", out);
    html_text(out, r->other.precision);
    fputs(" ", out);
    html_text(out, r->other.settings);
    fputs("</span></p>\n<div class=\"cards\">\n", out);
    percent_card(out, "second-top1", "Top-1", c->right, t->total);
    char *top = cli_format("Top-%zu", t->top);
    percent_card(out, "second-topn", top, c->hits, t->total);
    free(top);
    percent_card(out, "agreement", "Agreement", c->agree, t->total);
    fprintf(out,
            "<div class=\"card\">McNemar p<b id=\"mcnemar\">%.4g</b><span "
            "class=\"dim\">%s</span></div>\n</div>\n",
            p, p < 0.05 ? "unlikely to be chance" : "may be chance");
    fprintf(out,
            "<div class=\"scroll\"><table id=\"both\"><tr><th><th class=\"n\">Second right<th "
            "class=\"n\">Second wrong</tr>\n"
            "<tr><th>First right<td class=\"n\">%lld<td class=\"n\">%lld</tr>\n"
            "<tr><th>First wrong<td class=\"n\">%lld<td class=\"n\">%lld</tr></table></div>\n",
            (long long)c->both, (long long)c->first_only, (long long)c->second_only,
            (long long)(t->total - c->both - c->first_only - c->second_only));
    fprintf(out,
            "<details><summary>Where they differ (the first %zu of %lld)</summary><div "
            "class=\"scroll\">"
            "<table id=\"differ\"><tr><th>Picture<th>Right<th>First<th>Second</tr>\n",
            c->differ.count, (long long)(t->total - c->agree));
    for (size_t i = 0; i < c->differ.count; i++) {
        const record *d = &c->differ.item[i];
        fputs("<tr><td>", out);
        html_text(out, d->file);
        int64_t classes[] = {d->label, d->answer[0].top[0], d->answer[1].top[0]};
        for (int k = 0; k < 3; k++) {
            fputs("<td>", out);
            html_class(out, names, classes[k]);
        }
        fputs("</tr>\n", out);
    }
    fputs("</table></div></details>\n", out);
}

static void put_failures(FILE *out, const tally *t)
{
    if (!t->failed)
        return;
    fprintf(out,
            "<h2>Failures</h2>\n<p class=\"dim\">The first %zu of %lld.</p><ul id=\"failures\">\n",
            t->failures.count, (long long)t->failed);
    for (size_t i = 0; i < t->failures.count; i++) {
        fputs("<li>", out);
        html_text(out, t->failures.item[i].error);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

/* ---- the worst mistakes ---- */

typedef struct gallery {
    const shelf *worst;
    char *thumbnail[WORST]; /* HTML, NULL: none */
} gallery;

static bool is_worst(const void *user, size_t index)
{
    const shelf *worst = ((const gallery *)user)->worst;
    for (size_t i = 0; i < worst->count; i++)
        if (worst->item[i].index == index)
            return true;
    return false;
}

static char *thumbnail(const cli_picture *picture, const scarlet_options *opts)
{
    scarlet_image *image;
    if (cli_load(picture, opts, &image, &(scarlet_error){0}) != SCARLET_OK)
        return NULL;
    char *text = NULL;
    size_t length;
    FILE *memory = cli_memory(&text, &length);
    html_thumbnail(memory, image);
    fclose(memory);
    scarlet_image_free(image);
    return text;
}

/* Goes through the data once more: archives can only be read from the start. */
static void collect(gallery *g, const cli_inputs *inputs, const scarlet_options *opts)
{
    feed f = {.inputs = inputs, .wanted = is_worst, .user = g};
    size_t left = g->worst->count;
    cli_picture picture;
    while (left && feed_next(&f, &picture)) {
        for (size_t i = 0; i < g->worst->count; i++)
            if (g->worst->item[i].index == picture.index) {
                g->thumbnail[i] = thumbnail(&picture, opts);
                left--;
            }
        cli_picture_free(&picture);
    }
    feed_close(&f);
}

static void put_worst(FILE *out, const tally *t, const cli_names *names, const cli_inputs *inputs,
                      const scarlet_options *opts)
{
    gallery g = {.worst = &t->worst};
    if (inputs)
        collect(&g, inputs, opts);
    fputs(
        "<h2>Worst mistakes</h2>\n<p class=\"dim\">Wrong with the highest confidence.</p>\n"
        "<div class=\"worst\" id=\"worst\">\n",
        out);
    for (size_t i = 0; i < t->worst.count; i++) {
        const record *w = &t->worst.item[i];
        fputs("<figure>", out);
        if (g.thumbnail[i])
            fputs(g.thumbnail[i], out);
        fputs("<b>", out);
        html_class(out, names, w->answer[0].top[0]);
        fprintf(out, "</b> %.1f %%<br>is <b>", 100 * (double)w->answer[0].confidence);
        html_class(out, names, w->label);
        fprintf(out, "</b> %.1f %%<figcaption>", 100 * (double)w->answer[0].truth);
        html_text(out, w->file);
        fputs("</figcaption></figure>\n", out);
        free(g.thumbnail[i]);
    }
    fputs("</div>\n", out);
}

/* ---- page ---- */

/* The object of --json, without any "<" that could end the element. */
static void put_json(FILE *out, const result *r, const cli_names *names)
{
    char *text = NULL;
    size_t length;
    FILE *memory = cli_memory(&text, &length);
    result_json(r, names, memory);
    fclose(memory);
    fputs("<script type=\"application/json\" id=\"result\">", out);
    for (const char *s = text; *s; s++)
        if (*s == '<')
            fputs("\\u003c", out);
        else
            fputc(*s, out);
    fputs("</script>\n", out);
    free(text);
}

static void put_head(FILE *out, const result *r)
{
    fputs(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<link rel=\"icon\" href=\"data:,\"><title>",
        out);
    html_text(out, r->model.name);
    fprintf(out, " verified</title>\n<style>\n%s</style></head>\n<body>\n<h1>", style);
    html_text(out, r->model.name);
    fputs(" verified</h1>\n<p>", out);
    html_text(out, r->model.file);
    fputs(" <span class=\"dim\">", out);
    html_text(out, r->model.precision);
    fputs(" ", out);
    html_text(out, r->model.settings);
    fputs("</span> on ", out);
    html_text(out, r->data);
    fprintf(out,
            "</p>\n<p class=\"dim\">Evaluate Result: Total: %lld mTop1: %.4f mTop%zu: %.6f%s</p>\n",
            (long long)r->tally.total, percent(r->tally.right, r->tally.total), r->tally.top,
            percent(r->tally.hits, r->tally.total), r->complete ? "" : " (not complete)");
}

void report_write(const char *path, const result *r, const cli_names *names,
                  const cli_inputs *inputs, const scarlet_options *opts)
{
    const tally *t = &r->tally;
    FILE *out = fopen(path, "wb");
    if (!out)
        cli_refuse_errno(path);
    put_head(out, r);
    put_cards(out, r);
    fputs("<h2>Confidence</h2>\n<div class=\"plots\"><figure>", out);
    plot_calibration(out, t);
    fputs(
        "<figcaption>Calibration: how often each confidence was "
        "right.</figcaption></figure><figure>",
        out);
    plot_confidence(out, t);
    fputs("<figcaption>How confident the model was.</figcaption></figure></div>\n", out);
    if (t->two)
        put_comparison(out, r, names);
    put_classes(out, t, names);
    put_confusions(out, t, names);
    put_worst(out, t, names, inputs, opts);
    put_failures(out, t);
    put_json(out, r, names);
    fputs("</body></html>\n", out);
    if (ferror(out) || fclose(out) != 0)
        cli_discard(path);
}
