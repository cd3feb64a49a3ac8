#include "super_page.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "curves.h"
#include "report/html.h"
#include "report/page.h"

enum { DEPTHS_MAX = 64 };

static void put_curves(FILE *out, const super_results *r)
{
    double *value = cli_alloc(5 * r->count, sizeof *value);
    curves plot = {.x_name = "epoch", .n = r->count, .x = value, .count = 2, .marked = r->count};
    for (size_t i = 0; i < r->count; i++) {
        value[i] = r->row[i].epoch;
        value[r->count + i] = r->row[i].loss;
        value[2 * r->count + i] = r->row[i].top1;
        value[3 * r->count + i] = r->row[i].spread;
        value[4 * r->count + i] = r->row[i].condition;
    }
    plot.title = "One-shot top-1 accuracy of the watched networks, %";
    plot.curve[0].name = "mean";
    plot.curve[0].y = value + 2 * r->count;
    plot.curve[1].name = "standard deviation";
    plot.curve[1].y = value + 3 * r->count;
    plot_curves(out, &plot);
    plot.count = 1;
    plot.title = "Loss of the epoch's last step, mean over its paths";
    plot.curve[0].name = "loss";
    plot.curve[0].y = value + r->count;
    plot_curves(out, &plot);
    if (r->count && isfinite(r->row[r->count - 1].condition)) {
        plot.title = "Largest condition number of a linear transformation";
        plot.curve[0].name = "condition";
        plot.curve[0].y = value + 4 * r->count;
        plot_curves(out, &plot);
    }
    free(value);
}

/* A row of the networks with so many blocks, if there are any. */
static void put_depth(FILE *out, const super_watch *w, int depth)
{
    double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++) {
        const double top1 = w->item[i].top1;
        if (w->item[i].depth != depth)
            continue;
        n++;
        sum += top1;
        squares += top1 * top1;
        least = fmin(least, top1);
        most = fmax(most, top1);
    }
    if (n == 0)
        return;
    fprintf(out, "<tr><td class=\"n\">%d<td class=\"n\">%zu<td class=\"n\">%.2f<td class=\"n\">",
            depth, n, sum / (double)n);
    if (n > 1)
        fprintf(out, "%.2f", sqrt(fmax(0, (squares - sum * sum / (double)n) / (double)(n - 1))));
    fprintf(out, "<td class=\"n\">%.2f<td class=\"n\">%.2f</tr>\n", least, most);
}

static void put_depths(FILE *out, const super_watch *w)
{
    fputs(
        "<h2>Watched networks by depth</h2>\n<p class=\"dim\">One-shot top-1 accuracy after the "
        "last epoch, %.</p>\n<div class=\"scroll\"><table id=\"depths\"><tr><th class=\"n\">"
        "Blocks<th class=\"n\">Networks<th class=\"n\">Mean<th class=\"n\">Deviation"
        "<th class=\"n\">Lowest<th class=\"n\">Highest</tr>\n",
        out);
    for (int depth = 0; depth < DEPTHS_MAX; depth++)
        put_depth(out, w, depth);
    fputs("</table></div>\n", out);
}

/* Least and most that a choice of a layer was trained; returns the number of choices. */
static int32_t counts_of(const super_folder *s, int32_t layer, int64_t *least, int64_t *most)
{
    int32_t k = 0;
    *least = INT64_MAX;
    *most = 0;
    for (int64_t count; (count = scarlet_supernet_trained(s->net, layer, k)) >= 0; k++) {
        *least = count < *least ? count : *least;
        *most = count > *most ? count : *most;
    }
    return k;
}

static void put_counts(FILE *out, const super_folder *s)
{
    int32_t layers = scarlet_space_get(scarlet_supernet_space(s->net), SCARLET_SPACE_LAYERS);
    const bool lets = scarlet_supernet_get(s->net, SCARLET_SUPERNET_LETS) > 0;
    fprintf(
        out,
        "<h2>How often each choice was trained</h2>\n<div class=\"scroll\"><table id=\"counts\">"
        "<tr><th class=\"n\">Layer<th class=\"n\">Choices<th class=\"n\">Least<th class=\"n\">"
        "Most%s</tr>\n",
        lets ? "<th class=\"n\">Condition of the transformation" : "");
    for (int32_t i = 0; i < layers; i++) {
        int64_t least, most;
        const int32_t choices = counts_of(s, i, &least, &most);
        const double condition = scarlet_supernet_condition(s->net, i);
        fprintf(out,
                "<tr><td class=\"n\">%" PRId32 "<td class=\"n\">%" PRId32 "<td class=\"n\">%" PRId64
                "<td class=\"n\">%" PRId64,
                i, choices, least, most);
        if (lets)
            fputs("<td class=\"n\">", out);
        if (isfinite(condition))
            fprintf(out, "%.1f", condition);
        fputs("</tr>\n", out);
    }
    fputs("</table></div>\n", out);
}

void super_page(const super_folder *s, const char *about, const super_results *r,
                const super_watch *w)
{
    char *path = super_file(s->path, "report.html");
    FILE *out = page_open(path, "Supernet");
    page_cards_open(out);
    page_card(out, "steps", "Steps", "each one batch", "%.0f",
              scarlet_supernet_get(s->net, SCARLET_SUPERNET_STEP));
    page_card(out, "paths", "Paths a step", "on the same batch", "%.0f",
              scarlet_supernet_get(s->net, SCARLET_SUPERNET_PATHS));
    page_card(out, "parameters", "Parameters", "of all choices", "%.0f",
              scarlet_supernet_get(s->net, SCARLET_SUPERNET_PARAMETERS));
    if (r->count && isfinite(r->row[r->count - 1].top1))
        page_card(out, "top1", "One-shot top-1", "mean of the watched networks", "%.2f %%",
                  r->row[r->count - 1].top1);
    page_cards_close(out);
    fputs("<pre>", out);
    html_text(out, about);
    fputs("</pre>\n<div class=\"plots\">\n", out);
    put_curves(out, r);
    fputs("</div>\n", out);
    if (w->count)
        put_depths(out, w);
    put_counts(out, s);
    page_close(out, path);
    free(path);
}
