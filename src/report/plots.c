#include "plots.h"

#include "statistics.h"

/* Size of the drawing and position of its frame. */
enum { WIDTH = 360, HEIGHT = 240, LEFT = 38, RIGHT = 340, UPPER = 10, LOWER = 200 };

static double at_x(double share)
{
    return LEFT + share * (RIGHT - LEFT);
}

static double at_y(double share)
{
    return LOWER - share * (LOWER - UPPER);
}

static void begin(FILE *out, const char *name)
{
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", WIDTH, HEIGHT,
            name);
}

/* Grid lines with their values from 0 to `top`, and the title of the horizontal axis. */
static void axes(FILE *out, double top, const char *unit, const char *below)
{
    for (int i = 0; i <= 4; i++) {
        double y = at_y(i / 4.0), value = top * i / 4;
        fprintf(out,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" ",
                LEFT, y, RIGHT, LEFT - 4, y + 4);
        fprintf(out, "text-anchor=\"end\">%.*f%s</text>\n", value < 10 && value != (int)value,
                value, unit);
    }
    fprintf(out, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
            (LEFT + RIGHT) / 2, HEIGHT - 6, below);
}

static void confidence_ticks(FILE *out)
{
    for (int i = 0; i <= 4; i++)
        fprintf(out,
                "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d%%</text>\n",
                at_x(i / 4.0), LOWER + 16, 25 * i);
}

static void bar(FILE *out, const char *class, double x0, double x1, double y0, double y1)
{
    fprintf(out, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">", class,
            at_x(x0) + 0.5, at_y(y1), at_x(x1) - at_x(x0) - 1, at_y(y0) - at_y(y1));
}

static void plot_calibration(FILE *out, const tally *t)
{
    begin(out, "Accuracy by confidence");
    axes(out, 100, "%", "confidence; dots: its mean, right on the line when calibrated");
    confidence_ticks(out);
    for (size_t i = 0; i < BINS; i++) {
        const bin *b = &t->bins[i];
        if (!b->count)
            continue;
        double share = (double)b->right / (double)b->count;
        double mean = (double)b->confidence * 1e-9 / (double)b->count;
        bar(out, "right", (double)i / BINS, (double)(i + 1) / BINS, 0, share);
        fprintf(out,
                "<title>%lld picture%s of mean confidence %.1f %%: %.1f %% right</title></rect>",
                (long long)b->count, b->count == 1 ? "" : "s", 100 * mean, 100 * share);
        fprintf(out, "<circle class=\"dot\" cx=\"%.2f\" cy=\"%.2f\" r=\"2.5\"/>\n", at_x(mean),
                at_y(share));
    }
    fprintf(out, "<path class=\"ideal\" d=\"M%d %dL%d %d\"/></svg>\n", LEFT, LOWER, RIGHT, UPPER);
}

static void plot_confidence(FILE *out, const tally *t)
{
    int64_t most = 1;
    for (size_t i = 0; i < BINS; i++)
        most = t->bins[i].count > most ? t->bins[i].count : most;
    begin(out, "Histogram of confidence");
    axes(out, percent(most, t->total), "%",
         "confidence of all pictures; lower part right, upper wrong");
    confidence_ticks(out);
    for (size_t i = 0; i < BINS; i++) {
        const bin *b = &t->bins[i];
        double x0 = (double)i / BINS, x1 = (double)(i + 1) / BINS;
        double right = (double)b->right / (double)most, all = (double)b->count / (double)most;
        bar(out, "right", x0, x1, 0, right);
        fprintf(out, "<title>%lld right</title></rect>", (long long)b->right);
        bar(out, "wrong", x0, x1, right, all);
        fprintf(out, "<title>%lld wrong</title></rect>\n", (long long)(b->count - b->right));
    }
    fputs("</svg>\n", out);
}

void put_confidence(FILE *out, const tally *t)
{
    fputs("<h2>Confidence</h2>\n<div class=\"plots\"><figure>", out);
    plot_calibration(out, t);
    fputs(
        "<figcaption>Calibration: how often each confidence was "
        "right.</figcaption></figure><figure>",
        out);
    plot_confidence(out, t);
    fputs("<figcaption>How confident the model was.</figcaption></figure></div>\n", out);
}

void plot_classes(FILE *out, const class_sums *sorted, size_t count)
{
    begin(out, "Accuracy of each class");
    axes(out, 100, "%", "classes, from the worst to the best");
    fprintf(out, "<path class=\"right\" d=\"M%d %d", LEFT, LOWER);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "V%.2fH%.2f", at_y(percent(sorted[i].right, sorted[i].count) / 100),
                at_x((double)(i + 1) / (double)count));
    fprintf(out, "V%dZ\"/></svg>\n", LOWER);
}
