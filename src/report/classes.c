#include "classes.h"

#include <math.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "html.h"
#include "page.h"
#include "plots.h"
#include "statistics.h"

/* More classes: no matrix; colours without numbers, and a plot above the table. */
enum { PAIRS_SHOWN = 20, MATRIX_MAX = 50, FEW = 20 };

/* A class that occurs or was predicted. */
typedef struct figures {
    class_sums sums;
    size_t class_id;
    int64_t predicted;
    double precision, recall, f1; /* from 0 to 1; NaN: 0 / 0 */
} figures;

static int by_recall(const void *a, const void *b)
{
    const figures *x = a, *y = b;
    if (x->sums.count && y->sums.count && x->recall != y->recall)
        return x->recall < y->recall ? -1 : 1;
    if (!x->sums.count != !y->sums.count)
        return x->sums.count ? -1 : 1;
    return (x->class_id > y->class_id) - (x->class_id < y->class_id);
}

/* The worst recall first, classes that do not occur last; free it. */
static figures *figures_of(const tally *t, size_t *count)
{
    figures *all = cli_alloc(t->classes, sizeof *all);
    for (size_t i = 0; i < t->classes; i++)
        all[i] = (figures){t->per_class[i], i, t->per_class[i].right, 0, 0, 0};
    for (size_t i = 0; i < t->room; i++)
        if (t->confusions[i].count)
            all[t->confusions[i].predicted].predicted += t->confusions[i].count;
    *count = 0;
    for (size_t i = 0; i < t->classes; i++) {
        figures f = all[i];
        double right = (double)f.sums.right, both = (double)(f.sums.count + f.predicted);
        if (both <= 0)
            continue;
        f.precision = right / (double)f.predicted;
        f.recall = right / (double)f.sums.count;
        f.f1 = 2 * right / both;
        all[(*count)++] = f;
    }
    if (*count)
        qsort(all, *count, sizeof *all, by_recall);
    return all;
}

/* Mean of a figure over the classes that occur; a precision of 0 / 0 counts as 0. */
static double macro(const figures *all, size_t count, double (*figure)(const figures *))
{
    double sum = 0, classes = 0;
    for (size_t i = 0; i < count; i++)
        if (all[i].sums.count) {
            double value = figure(&all[i]);
            sum += isnan(value) ? 0 : value;
            classes++;
        }
    return classes > 0 ? sum / classes : 0;
}

static double precision_of(const figures *f)
{
    return f->precision;
}

static double recall_of(const figures *f)
{
    return f->recall;
}

static double f1_of(const figures *f)
{
    return f->f1;
}

double macro_f1(const tally *t)
{
    size_t count;
    figures *all = figures_of(t, &count);
    double mean = macro(all, count, f1_of);
    free(all);
    return mean;
}

/* ---- table ---- */

static void put_percent(FILE *out, double share)
{
    if (isnan(share))
        fputs("<td class=\"n\">\xE2\x80\x93", out);
    else
        fprintf(out, "<td class=\"n\">%.2f", 100 * share);
}

static void put_heading(FILE *out, const char *name, bool sorted)
{
    fprintf(out, "<th scope=\"col\" class=\"n\"%s><button type=\"button\">%s</button></th>",
            sorted ? " aria-sort=\"ascending\"" : "", name);
}

static void put_row(FILE *out, const figures *f, const cli_names *names, bool top)
{
    fputs("<tr><td>", out);
    html_class(out, names, (int64_t)f->class_id);
    fprintf(out, "<td class=\"n\">%lld", (long long)f->sums.count);
    put_percent(out, f->precision);
    put_percent(out, f->recall);
    put_percent(out, f->f1);
    if (top)
        put_percent(out, (double)f->sums.hits / (double)f->sums.count);
    fputs("</tr>\n", out);
}

static void put_table(FILE *out, const tally *t, const cli_names *names, const figures *all,
                      size_t count)
{
    bool top = t->top < t->classes; /* else it says nothing */
    char *top_name = cli_format("Top-%zu %%", t->top);
    fputs(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Classes\">"
        "<table class=\"wide\" id=\"classes\"><thead><tr><th scope=\"col\">"
        "<button type=\"button\">Class</button></th>",
        out);
    put_heading(out, "Support", false);
    put_heading(out, "Precision %", false);
    put_heading(out, "Recall %", true);
    put_heading(out, "F1 %", false);
    if (top)
        put_heading(out, top_name, false);
    fputs("</tr></thead>\n<tbody>", out);
    for (size_t i = 0; i < count; i++)
        put_row(out, &all[i], names, top);
    fprintf(out, "</tbody>\n<tfoot><tr><td>Mean of the classes<td class=\"n\">%lld",
            (long long)t->total);
    put_percent(out, macro(all, count, precision_of));
    put_percent(out, macro(all, count, recall_of));
    put_percent(out, macro(all, count, f1_of));
    fprintf(out, "%s</tr></tfoot></table></div>\n", top ? "<td>" : "");
    page_sorting(out);
    free(top_name);
}

void put_classes(FILE *out, const tally *t, const cli_names *names)
{
    size_t count, occurring = 0;
    figures *all = figures_of(t, &count);
    class_sums *sums = cli_alloc(count, sizeof *sums);
    while (occurring < count && all[occurring].sums.count) {
        sums[occurring] = all[occurring].sums;
        occurring++;
    }
    fputs("<h2>Classes</h2>\n", out);
    if (count > FEW) {
        fputs("<div class=\"plots\"><figure>", out);
        plot_classes(out, sums, occurring);
        fputs("</figure></div>\n", out);
    }
    fprintf(out, "<details%s><summary>All %zu classes</summary>\n", count > FEW ? "" : " open",
            count);
    put_table(out, t, names, all, count);
    fputs("</details>\n", out);
    free(sums);
    free(all);
}

/* ---- confusions ---- */

/* A cell's colour is its share of the row. */
static void put_cell(FILE *out, const cli_names *names, const confusion *c, int64_t whole)
{
    if (!c->count) {
        fputs("<td>", out);
        return;
    }
    double share = (double)c->count / (double)whole;
    fprintf(out, "<td class=\"%s\" style=\"--v:%.3f\" title=\"%lld of %lld ",
            c->label == c->predicted ? "hit" : "miss", share, (long long)c->count,
            (long long)whole);
    html_class(out, names, c->label);
    fputs(" predicted ", out);
    html_class(out, names, c->predicted);
    fprintf(out, " (%.1f %%)\">%lld", 100 * share, (long long)c->count);
}

static void put_matrix(FILE *out, const tally *t, const cli_names *names)
{
    size_t n = t->classes;
    int64_t *count = cli_alloc(n, sizeof *count);
    fprintf(
        out,
        "<p class=\"dim\">A row: the pictures of a class; a column: how many of them were taken "
        "for that class; the stronger the colour, the larger the share.</p>\n<div class=\"scroll\" "
        "tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\"><table "
        "class=\"matrix%s\" id=\"matrix\"><tr><td>",
        n > FEW ? " dense" : "");
    for (size_t k = 0; k < n; k++) {
        fputs("<th scope=\"col\"><span>", out);
        html_class(out, names, (int64_t)k);
        fputs("</span>", out);
    }
    for (size_t i = 0; i < n; i++) {
        fputs("</tr>\n<tr><th scope=\"row\"><span>", out);
        html_class(out, names, (int64_t)i);
        fputs("</span>", out);
        tally_row(t, i, count);
        for (size_t k = 0; k < n; k++)
            put_cell(out, names, &(confusion){(int64_t)i, (int64_t)k, count[k]},
                     t->per_class[i].count);
    }
    fputs("</tr></table></div>\n", out);
    free(count);
}

void put_confusions(FILE *out, const tally *t, const cli_names *names)
{
    size_t count;
    confusion *all = tally_confusions(t, &count);
    fputs("<h2>Confusions</h2>\n", out);
    if (t->classes <= MATRIX_MAX)
        put_matrix(out, t, names);
    fprintf(out,
            "<details%s><summary>The most frequent</summary><div class=\"scroll\" tabindex=\"0\" "
            "role=\"region\" aria-label=\"The most frequent confusions\"><table class=\"wide\" "
            "id=\"confusions\"><tr><th>Right<th>Predicted<th class=\"n\">Pictures<th "
            "class=\"n\">%% of the class</tr>\n",
            t->classes > MATRIX_MAX ? " open" : "");
    for (size_t i = 0; i < count && i < PAIRS_SHOWN; i++) {
        fputs("<tr><td>", out);
        html_class(out, names, all[i].label);
        fputs("<td>", out);
        html_class(out, names, all[i].predicted);
        fprintf(out, "<td class=\"n\">%lld<td class=\"n\">%.2f</tr>\n", (long long)all[i].count,
                percent(all[i].count, t->per_class[all[i].label].count));
    }
    fputs("</table></div></details>\n", out);
    free(all);
}
