#include "report.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "pictures/feed.h"
#include "pictures/thumbnail.h"
#include "report/classes.h"
#include "report/html.h"
#include "report/mistakes.h"
#include "report/page.h"
#include "report/plots.h"
#include "report/statistics.h"

/* ---- parts ---- */

static void put_contestant(FILE *out, const contestant *c)
{
    html_text(out, c->file);
    fputs(" <span class=\"dim\">", out);
    html_text(out, c->precision);
    fputs(" ", out);
    html_text(out, c->settings);
    fputs("</span>", out);
}

static void put_cards(FILE *out, const result *r)
{
    const tally *t = &r->tally;
    char *top = cli_format("Top-%zu", t->top);
    char *failed = cli_format("and %lld that failed", (long long)t->failed);
    char *rate =
        cli_format("%lld in %.1f s, %zu at once", (long long)r->timed, r->seconds, r->workers);
    char *bins = cli_format("expected (ECE), %d bins", BINS);
    page_cards_open(out);
    page_share(out, "top1", "Top-1", t->right, t->total);
    page_share(out, "topn", top, t->hits, t->total);
    page_card(out, "f1", "F1", "mean of the classes", "%.2f %%", 100 * macro_f1(t));
    page_card(out, "ece", "Calibration error", bins, "%.4f", calibration_error(t));
    page_card(out, "total", "Pictures", failed, "%lld", (long long)t->total);
    page_card(out, "rate", "Pictures a second", rate, "%.1f",
              r->seconds > 0 ? (double)r->timed / r->seconds : 0);
    page_cards_close(out);
    free(bins);
    free(rate);
    free(failed);
    free(top);
}

static void put_comparison(FILE *out, const result *r, const cli_names *names)
{
    const tally *t = &r->tally;
    const comparison *c = &t->second;
    double p = mcnemar(c->first_only, c->second_only);
    fputs("<h2>Second model</h2>\n<p>", out);
    put_contestant(out, &r->other);
    fputs("</p>\n", out);
    page_cards_open(out);
    page_share(out, "second-top1", "Top-1", c->right, t->total);
    char *top = cli_format("Top-%zu", t->top);
    page_share(out, "second-topn", top, c->hits, t->total);
    free(top);
    page_share(out, "agreement", "Agreement", c->agree, t->total);
    page_card(out, "mcnemar", "McNemar p", p < 0.05 ? "unlikely to be chance" : "may be chance",
              "%.4g", p);
    page_cards_close(out);
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

/* ---- pictures of the worst mistakes ---- */

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
    char *text = html_thumbnail(image);
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
    fputs("<p>", out);
    put_contestant(out, &r->model);
    fputs(" on ", out);
    html_text(out, r->data);
    fprintf(out,
            "</p>\n<p class=\"dim\">Evaluate Result: Total: %lld mTop1: %.4f mTop%zu: %.6f%s</p>\n",
            (long long)r->tally.total, percent(r->tally.right, r->tally.total), r->tally.top,
            percent(r->tally.hits, r->tally.total), r->complete ? "" : " (not complete)");
}

void report_write(output_file *page, const result *r, const cli_names *names,
                  const cli_inputs *inputs, const scarlet_options *opts)
{
    const tally *t = &r->tally;
    gallery g = {.worst = &t->worst};
    if (inputs)
        collect(&g, inputs, opts);
    char *title = cli_format("%s verified", r->model.name);
    output_begin(page);
    FILE *out = page->file;
    page_begin(out, title);
    put_head(out, r);
    put_cards(out, r);
    put_confidence(out, t);
    if (t->two)
        put_comparison(out, r, names);
    put_classes(out, t, names);
    put_confusions(out, t, names);
    put_mistakes(out, t, names, g.thumbnail);
    put_failures(out, t);
    origin_put(out, &r->origin);
    put_json(out, r, names);
    page_end(out);
    output_close(page);
    for (size_t i = 0; i < t->worst.count; i++)
        free(g.thumbnail[i]);
    free(title);
}
