#include "train_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "csv.h"
#include "curves.h"
#include "report/classes.h"
#include "report/html.h"
#include "report/mistakes.h"
#include "report/origin.h"
#include "report/page.h"
#include "report/plots.h"
#include "train_progress.h"

enum { FEW_CLASSES = 20 };

/* ---- results.csv ---- */

typedef struct course {
    size_t epochs, best; /* rows; index of the best */
    double *epoch, *rate, *train_loss, *loss, *top1, *seconds;
} course;

static double *column(const csv *table, const char *name, double scale)
{
    size_t index = csv_column(table, name);
    double *values = cli_alloc(table->rows, sizeof *values);
    for (size_t i = 0; i < table->rows; i++) {
        const char *cell = csv_cell(table, i, index);
        values[i] = *cell ? scale * strtod(cell, NULL) : NAN;
    }
    return values;
}

static course course_read(const char *folder)
{
    char *path = cli_format("%s/results.csv", folder);
    csv table;
    csv_open(&table, path);
    course c = {.epochs = table.rows,
                .epoch = column(&table, "epoch", 1),
                .rate = column(&table, "lr", 1),
                .train_loss = column(&table, "train_loss", 1),
                .loss = column(&table, "val_loss", 1),
                .top1 = column(&table, "val_top1", 100),
                .seconds = column(&table, "seconds", 1)};
    double *best = column(&table, "best", 1);
    for (size_t i = 0; i < c.epochs; i++)
        c.best = best[i] > 0 ? i : c.best;
    free(best);
    csv_close(&table);
    free(path);
    return c;
}

static void course_free(course *c)
{
    free(c->epoch);
    free(c->rate);
    free(c->train_loss);
    free(c->loss);
    free(c->top1);
    free(c->seconds);
}

/* ---- parts ---- */

static void put_cards(FILE *out, const train_page *page, const course *c, const train_score *shown)
{
    page_cards_open(out);
    if (page->test)
        page_share(out, "test", "Test top-1", page->test->tally.right, page->test->tally.total);
    if (page->validation)
        page_share(out, "validation", "Validation top-1", page->validation->tally.right,
                   page->validation->tally.total);
    if (shown)
        page_card(out, "f1", "F1", "mean of the classes", "%.2f %%", 100 * macro_f1(&shown->tally));
    char *best = cli_format("best: %.0f", c->epochs ? c->epoch[c->best] : 0);
    page_card(out, "epochs", "Epochs", best, "%.0f", c->epochs ? c->epoch[c->epochs - 1] : 0);
    char *time = duration(c->epochs ? c->seconds[c->epochs - 1] : 0);
    page_card(out, "time", "Time", "since the last start", "%s", time);
    page_card(out, "latency", "A picture", "from its file to its class", "%.2f ms", page->latency);
    page_cards_close(out);
    free(time);
    free(best);
}

static void put_course(FILE *out, const course *c)
{
    fputs("<h2>Course</h2>\n<div class=\"plots\" id=\"course\">\n", out);
    curves plot = {.title = "Loss",
                   .x_name = "epoch",
                   .n = c->epochs,
                   .x = c->epoch,
                   .curve = {{"training", c->train_loss}, {"validation", c->loss}},
                   .count = 2,
                   .marked = c->best};
    plot_curves(out, &plot);
    plot.title = "Validation top-1, %; ringed: the best";
    plot.curve[0] = (struct curve){"top-1", c->top1};
    plot.count = 1;
    plot_curves(out, &plot);
    plot.title = "Learning rate";
    plot.curve[0] = (struct curve){"rate", c->rate};
    plot.marked = c->epochs;
    plot_curves(out, &plot);
    fputs("</div>\n", out);
}

static void put_data(FILE *out, const train_page *page)
{
    const train_data *d = page->data;
    size_t *count = cli_alloc(d->classes, PARTS * sizeof *count);
    for (size_t i = 0; i < d->count; i++) {
        int32_t label = 0;
        scarlet_part part = train_part(d, i, &label);
        count[(size_t)label * PARTS + part]++;
    }
    fprintf(out,
            "<h2>Data</h2>\n<details%s><summary>Pictures of each class</summary><div "
            "class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Pictures of each "
            "class\"><table class=\"wide\" id=\"counts\"><thead><tr><th>Class<th "
            "class=\"n\">Training<th class=\"n\">Validation<th class=\"n\">Test</tr></thead>\n",
            d->classes > FEW_CLASSES ? "" : " open");
    for (size_t c = 0; c < d->classes; c++) {
        fputs("<tr><td>", out);
        html_class(out, page->names, (int64_t)c);
        for (int part = 0; part < PARTS; part++)
            fprintf(out, "<td class=\"n\">%zu", count[c * PARTS + (size_t)part]);
        fputs("</tr>\n", out);
    }
    fprintf(out,
            "<tfoot><tr><td>All<td class=\"n\">%zu<td class=\"n\">%zu<td class=\"n\">%zu</tr>"
            "</tfoot></table></div></details>\n",
            d->parts[0], d->parts[1], d->parts[2]);
    free(count);
    if (d->split)
        fputs("<p class=\"dim\">The validation part was split off the training pictures.</p>\n",
              out);
}

static void put_samples(FILE *out, const train_page *page)
{
    if (!page->samples)
        return;
    fputs(
        "<h3>As the network sees them</h3>\n<p class=\"dim\">Augmented pictures of the first "
        "step.</p>\n<div class=\"worst\" id=\"samples\">\n",
        out);
    for (size_t i = 0; i < page->samples; i++) {
        fputs("<figure>", out);
        fputs(page->sample[i].html, out);
        fputs("<figcaption>", out);
        html_class(out, page->names, page->sample[i].label);
        fputs("</figcaption></figure>\n", out);
    }
    fputs("</div>\n", out);
}

static void put_run(FILE *out, const train_page *page)
{
    char *args = cli_format("%s/args.txt", page->folder);
    fputs("<h2>Run</h2>\n<p>To do it again:</p>\n<pre id=\"again\">scarlet train --config ", out);
    html_text(out, args);
    fputs(" --output NEW</pre>\n<p>To use the model:</p>\n<pre id=\"use\">scarlet classify -m ",
          out);
    html_text(out, page->folder);
    fputs(
        "/best.safetensors PICTURE</pre>\n<details><summary>Arguments</summary><pre "
        "id=\"arguments\">",
        out);
    FILE *in = fopen(args, "rb");
    char line[1024];
    while (in && fgets(line, sizeof line, in)) {
        char *end = line + strcspn(line, "\n");
        *end = '\0';
        html_text(out, line);
        fputc('\n', out);
    }
    if (in)
        fclose(in);
    fprintf(out,
            "</pre></details>\n<p class=\"dim\">Data hash <span id=\"hash\">%016llx</span></p>\n",
            (unsigned long long)page->data_hash);
    free(args);
}

void train_page_write(const train_page *page)
{
    const train_score *shown = page->test ? page->test : page->validation;
    course c = course_read(page->folder);
    char *path = cli_format("%s/report.html", page->folder);
    char *title = cli_format("%s trained", page->network);
    FILE *out = page_open(path, title);
    fputs("<p>", out);
    html_text(out, page->source);
    fputs(" <span class=\"dim\">to</span> ", out);
    html_text(out, page->folder);
    fputs("/best.safetensors</p>\n", out);
    put_cards(out, page, &c, shown);
    put_course(out, &c);
    if (shown) {
        fprintf(out, "<p>What follows is about the %s part.</p>\n", part_name(shown->part));
        put_classes(out, &shown->tally, page->names);
        put_confusions(out, &shown->tally, page->names);
        put_confidence(out, &shown->tally);
        put_mistakes(out, &shown->tally, page->names, shown->thumbnail);
    }
    put_data(out, page);
    put_samples(out, page);
    put_run(out, page);
    origin here = origin_here();
    origin_put(out, &here);
    origin_free(&here);
    page_close(out, path);
    free(title);
    free(path);
    course_free(&c);
}
