#include "search_page.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axes.h"
#include "common/alloc.h"
#include "curves.h"
#include "report/html.h"
#include "report/page.h"
#include "scatter.h"

static const struct {
    const char *name;
    double unit;
    int digits;
} shown[FIGURES] = {
    {"cross-entropy", 1, 4},       {"top-1, %", 100, 2},       {"latency, ms", 1, 4},
    {"multiply-adds, M", 1e-6, 3}, {"parameters, k", 1e-3, 1},
};

static double value_of(const search_trial *trial, figure_name name)
{
    return trial->about.figure[name] * shown[name].unit;
}

/* ---- genotypes ---- */

enum { CHOICE_SIZE = 32 };

/* The choice at the beginning of *rest, which moves on; false: there is none. */
static bool next_choice(const char **rest, char *choice)
{
    if (!**rest)
        return false;
    const size_t length = strcspn(*rest, ",");
    snprintf(choice, CHOICE_SIZE, "%.*s", (int)length, *rest);
    *rest += length + ((*rest)[length] == ',');
    return true;
}

static int layers_of(const char *genotype)
{
    int count = 0;
    char choice[CHOICE_SIZE];
    while (next_choice(&genotype, choice))
        count++;
    return count;
}

/* Blocks as boxes, wide as their kernel and high as their expansion; identities as a line. */
static void put_path(FILE *out, const char *genotype)
{
    enum { STEP = 16, HEIGHT = 32, MIDDLE = HEIGHT / 2 };
    char choice[CHOICE_SIZE];
    const int width = STEP * layers_of(genotype);
    fprintf(out,
            "<svg class=\"path\" viewBox=\"0 0 %d %d\" style=\"width:%dpx\" role=\"img\" "
            "aria-label=\"",
            width, HEIGHT, width);
    html_text(out, genotype);
    fprintf(out, "\"><path class=\"grid\" d=\"M0 %dH%d\"/>", MIDDLE, width);
    for (int i = 0; next_choice(&genotype, choice); i++) {
        int expansion, kernel;
        if (sscanf(choice, "e%dk%d", &expansion, &kernel) != 2)
            continue;
        const int wide = 2 * kernel - 1, high = 5 * expansion < HEIGHT ? 5 * expansion : HEIGHT;
        fprintf(out,
                "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"1\"><title>"
                "layer %d: ",
                strstr(choice, "se") ? "wrong" : "right", STEP * i + (STEP - wide) / 2,
                MIDDLE - high / 2, wide, high, i);
        html_text(out, choice);
        fputs("</title></rect>", out);
    }
    fputs("</svg>", out);
}

/* ---- scatter ---- */

static void put_dot(FILE *out, const search_page *page, size_t at, const axis *x, const axis *y)
{
    const search_trial *trial = &page->trial[at];
    fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" data-g=\"%d\"",
            trial->until > page->generations ? "best" : "other",
            at_x(x, value_of(trial, page->objective[1])),
            at_y(y, value_of(trial, page->objective[0])), trial->until ? "4" : "3",
            trial->generation);
    if (trial->until)
        fprintf(out, " data-u=\"%d\" tabindex=\"%d\"", trial->until,
                trial->until > page->generations ? 0 : -1);
    fputs("><title>", out);
    html_text(out, trial->about.genotype);
    for (int k = 0; k < FIGURES; k++)
        if (isfinite(trial->about.figure[k]))
            fprintf(out, "; %s %.*f", shown[k].name, shown[k].digits,
                    value_of(trial, (figure_name)k));
    fprintf(out, "; generation %d</title></circle>\n", trial->generation);
}

/* A line where a constraint is, if the plot goes that far. */
static void put_limits(FILE *out, const search_page *page, const axis *x, const axis *y)
{
    const double at = page->most[page->objective[1]] * shown[page->objective[1]].unit;
    const double level = page->most[page->objective[0]] * shown[page->objective[0]].unit;
    if (at > x->low && at < x->high)
        fprintf(out, "<path class=\"limit\" d=\"M%.1f %dV%d\"/>\n", at_x(x, at), PLOT_UPPER,
                PLOT_LOWER);
    if (level > y->low && level < y->high)
        fprintf(out, "<path class=\"limit\" d=\"M%d %.1fH%d\"/>\n", PLOT_LEFT, at_y(y, level),
                PLOT_RIGHT);
}

static void put_trials(FILE *out, const search_page *page)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < page->count; i++) {
            const double value = value_of(&page->trial[i], page->objective[k]);
            axis_range(&value, 1, &low[k], &high[k]);
        }
    const axis y = axis_of(low[0], high[0]), x = axis_of(low[1], high[1]);
    fputs("<div id=\"trials\">", out);
    axes_open(out, "All networks evaluated", &x, shown[page->objective[1]].name, &y,
              shown[page->objective[0]].name);
    put_limits(out, page, &x, &y);
    fputs("<g class=\"dots\">\n", out);
    for (int ever = 0; ever < 2; ever++)
        for (size_t i = 0; i < page->count; i++)
            if ((page->trial[i].until > 0) == ever)
                put_dot(out, page, i, &x, &y);
    fputs(
        "</g></svg><figcaption>All networks evaluated: <span class=\"key c0\"></span>the front, "
        "<span class=\"key other\"></span>others",
        out);
    for (int k = 0; k < FIGURES; k++)
        if (isfinite(page->most[k]))
            fprintf(out, "; %s at most %.*f", shown[k].name, shown[k].digits,
                    page->most[k] * shown[k].unit);
    fprintf(out,
            "</figcaption></figure>\n<p><label for=\"generation\">Up to generation</label> <input "
            "type=\"range\" id=\"generation\" min=\"0\" max=\"%d\" value=\"%d\"> <output "
            "for=\"generation\" id=\"reached\">%d</output></p>\n<p class=\"dim\" id=\"pointed\" "
            "aria-live=\"polite\">Point at a network, or go to it with the Tab key.</p></div>\n",
            page->generations - 1, page->generations - 1, page->generations - 1);
}

/* The networks up to a generation, and the front as it was then. */
static const char script[] =
    "<script>(()=>{const by=i=>document.getElementById(i),slider=by('generation'),"
    "dots=[...document.querySelectorAll('#trials circle')];"
    "slider.oninput=()=>{const g=+slider.value;by('reached').value=g;for(const c of dots){"
    "const born=+c.dataset.g<=g,best=born&&g<(+c.dataset.u||0);"
    "c.style.display=born?'':'none';c.setAttribute('class',best?'best':'other');"
    "c.setAttribute('tabindex',best?0:-1)}};"
    "for(const e of['focusin','pointerover'])by('trials').addEventListener(e,e=>{"
    "if(e.target.matches('circle'))by('pointed').textContent=e.target.textContent})})()"
    "</script>\n";

/* ---- other plots ---- */

static void put_volumes(FILE *out, const search_page *page)
{
    const size_t n = (size_t)page->generations;
    double *value = cli_alloc(3 * n, sizeof *value);
    for (size_t i = 0; i < n; i++) {
        value[i] = (double)i;
        value[n + i] = page->volume[i].here;
        value[2 * n + i] = page->volume[i].rival;
    }
    curves plot = {.title = "Hypervolume, as a share of the box around all networks",
                   .x_name = "generation",
                   .n = n,
                   .x = value,
                   .curve = {{"this search", value + n}, {page->rival, value + 2 * n}},
                   .count = page->rival ? 2 : 1,
                   .marked = n};
    plot_curves(out, &plot);
    free(value);
}

static void put_latencies(FILE *out, const search_page *page)
{
    double *value = cli_alloc(2 * page->best, sizeof *value);
    const char **name = cli_alloc(page->best, sizeof *name);
    size_t n = 0;
    for (size_t i = 0; i < page->best; i++) {
        const search_trial *trial = &page->trial[page->front[i]];
        if (!isfinite(trial->measured) || !isfinite(trial->about.figure[LATENCY_MS]))
            continue;
        value[n] = trial->about.figure[LATENCY_MS];
        value[page->best + n] = trial->measured;
        name[n++] = trial->about.genotype;
    }
    const scatter plot = {.title = "Latency of the front, predicted and measured",
                          .x_name = "predicted, ms",
                          .y_name = "measured, ms",
                          .n = n,
                          .x = value,
                          .y = value + page->best,
                          .name = name,
                          .diagonal = true};
    if (n)
        plot_scatter(out, &plot);
    free(name);
    free(value);
}

/* ---- choices ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The choices that occur, each once. */
static char (*list_choices(const search_page *page, size_t *count))[CHOICE_SIZE]
{
    char(*list)[CHOICE_SIZE] = NULL, choice[CHOICE_SIZE];
    *count = 0;
    for (size_t i = 0; i < page->count; i++)
        for (const char *rest = page->trial[i].about.genotype; next_choice(&rest, choice);) {
            size_t at = 0;
            while (at < *count && strcmp(list[at], choice) != 0)
                at++;
            if (at < *count)
                continue;
            list = cli_grow(list, *count, sizeof *list);
            memcpy(list[(*count)++], choice, sizeof choice);
        }
    if (list)
        qsort(list, *count, sizeof *list, by_text);
    return list;
}

/* How many of the front have that choice in that layer. */
static size_t count_choice(const search_page *page, const char *wanted, int layer)
{
    size_t count = 0;
    for (size_t i = 0; i < page->best; i++) {
        const char *rest = page->trial[page->front[i]].about.genotype;
        char choice[CHOICE_SIZE] = "";
        for (int k = 0; k <= layer; k++)
            next_choice(&rest, choice);
        count += strcmp(choice, wanted) == 0;
    }
    return count;
}

static void put_choices(FILE *out, const search_page *page)
{
    size_t choices;
    char(*list)[CHOICE_SIZE] = list_choices(page, &choices);
    const int layers = layers_of(page->trial[0].about.genotype);
    fputs(
        "<h2>Choices of the front</h2>\n<p class=\"dim\">Percent of the front's networks, by "
        "layer.</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Choices "
        "of the front\"><table class=\"matrix\" id=\"choices\"><tr><td>",
        out);
    for (int layer = 0; layer < layers; layer++)
        fprintf(out, "<th scope=\"col\">%d", layer);
    fputs("</tr>\n", out);
    for (size_t c = 0; c < choices; c++) {
        fputs("<tr><th scope=\"row\">", out);
        html_text(out, list[c]);
        for (int layer = 0; layer < layers; layer++) {
            const double share = (double)count_choice(page, list[c], layer) / (double)page->best;
            if (share > 0)
                fprintf(out, "<td class=\"hit\" style=\"--v:%.2f\">%.0f", share, 100 * share);
            else
                fputs("<td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</table></div>\n", out);
    free(list);
}

/* ---- the front ---- */

static void put_row(FILE *out, const search_page *page, size_t rank, bool measured)
{
    const search_trial *trial = &page->trial[page->front[rank]];
    fprintf(out, "<tr><td class=\"n\">%zu<td class=\"network\">", rank + 1);
    put_path(out, trial->about.genotype);
    fputs("<code>", out);
    html_text(out, trial->about.genotype);
    fputs("</code>", out);
    if (page->super) {
        fputs("<details><summary>export</summary><pre>scarlet export ", out);
        html_text(out, page->super);
        fputs(" --genotype ", out);
        html_text(out, trial->about.genotype);
        fprintf(out, " --output %02zu.safetensors</pre></details>", rank + 1);
    }
    for (int k = 0; k < FIGURES; k++) {
        fputs("<td class=\"n\">", out);
        if (isfinite(trial->about.figure[k]))
            fprintf(out, "%.*f", shown[k].digits, value_of(trial, (figure_name)k));
    }
    if (measured)
        fprintf(out, "<td class=\"n\">%.4f", trial->measured);
    fputs("</tr>\n", out);
}

static void put_front(FILE *out, const search_page *page)
{
    const bool measured = isfinite(page->trial[page->front[0]].measured);
    fputs(
        "<h2>The front</h2>\n<p class=\"dim\">Layers from left to right: wide boxes have large "
        "kernels, high ones a large expansion; <span class=\"key c1\"></span>with "
        "squeeze-and-excitation; just a line: an identity.</p>\n<div class=\"scroll\" "
        "tabindex=\"0\" role=\"region\" aria-label=\"The front\"><table "
        "id=\"pareto\"><thead><tr><th scope=\"col\" class=\"n\" aria-sort=\"ascending\"><button "
        "type=\"button\">No.</button><th scope=\"col\">Network",
        out);
    for (int k = 0; k < FIGURES; k++)
        fprintf(out, "<th scope=\"col\" class=\"n\"><button type=\"button\">%s</button>",
                shown[k].name);
    if (measured)
        fputs("<th scope=\"col\" class=\"n\"><button type=\"button\">measured, ms</button>", out);
    fputs("</tr></thead>\n<tbody>", out);
    for (size_t i = 0; i < page->best; i++)
        put_row(out, page, i, measured);
    fputs("</tbody></table></div>\n", out);
    page_sorting(out);
    if (page->super) {
        fputs("<p>All at once:</p>\n<pre id=\"export\">scarlet export ", out);
        html_text(out, page->super);
        fputs(" --front ", out);
        html_text(out, page->folder);
        fputs("/pareto.csv --output children</pre>\n", out);
    }
}

void search_page_write(const search_page *page)
{
    char *path = cli_format("%s/report.html", page->folder);
    FILE *out = page_open(path, "Search");
    fputs("<p>", out);
    html_text(out, page->how);
    fputs("</p>\n", out);
    page_cards_open(out);
    page_card(out, "evaluated", "Networks", "evaluated", "%zu", page->count);
    page_card(out, "front", "On the front", "none is better in every respect", "%zu", page->best);
    page_card(out, "generations", "Generations", "of networks bred from those before", "%d",
              page->generations);
    page_cards_close(out);
    fputs("<div class=\"plots\">\n", out);
    if (page->count && page->objectives > 1)
        put_trials(out, page);
    put_volumes(out, page);
    put_latencies(out, page);
    fputs("</div>\n", out);
    if (page->count && page->objectives > 1)
        fputs(script, out);
    if (page->best) {
        put_front(out, page);
        put_choices(out, page);
    }
    page_close(out, path);
    free(path);
}
