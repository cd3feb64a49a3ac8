#include "scatter.h"

#include <math.h>

#include "report/html.h"

enum { WIDTH = 420, HEIGHT = 320, LEFT = 58, RIGHT = 396, UPPER = 12, LOWER = 262, TICKS = 5 };

/* ---- axes ---- */

typedef struct axis {
    double low, high;
    double first, step; /* of the ticks, multiples of 1, 2 or 5 times a power of ten */
} axis;

/* Some TICKS ticks, and a margin at both ends. */
static axis axis_of(double low, double high)
{
    double margin = high > low ? (high - low) / 25 : low != 0 ? fabs(low) / 10 : 1;
    axis a = {low - margin, high + margin, 0, 0};
    double rough = (a.high - a.low) / TICKS, power = pow(10, floor(log10(rough)));
    a.step = (rough < 1.5 * power   ? 1
              : rough < 3.5 * power ? 2
              : rough < 7.5 * power ? 5
                                    : 10) *
             power;
    a.first = ceil(a.low / a.step) * a.step;
    return a;
}

static double share(const axis *a, double value)
{
    return (value - a->low) / (a->high - a->low);
}

static double at_x(const axis *a, double value)
{
    return LEFT + share(a, value) * (RIGHT - LEFT);
}

static double at_y(const axis *a, double value)
{
    return LOWER - share(a, value) * (LOWER - UPPER);
}

static void range(const double *values, size_t n, double *low, double *high)
{
    for (size_t i = 0; i < n; i++) {
        *low = fmin(*low, values[i]);
        *high = fmax(*high, values[i]);
    }
}

/* A tick's value, 0 where sums of steps leave almost nothing. */
static double tick(const axis *a, double value)
{
    return fabs(value) < a->step / 1000 ? 0 : value;
}

static void put_axes(FILE *out, const scatter *plot, const axis *x, const axis *y)
{
    for (double value = y->first; value <= y->high; value += y->step)
        fprintf(out,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%.7g</text>\n",
                LEFT, at_y(y, value), RIGHT, LEFT - 6, at_y(y, value) + 4, tick(y, value));
    for (double value = x->first; value <= x->high; value += x->step)
        fprintf(out,
                "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"tick\" x=\"%.1f\" y=\"%d\" "
                "text-anchor=\"middle\">%.7g</text>\n",
                at_x(x, value), UPPER, LOWER, at_x(x, value), LOWER + 16, tick(x, value));
    fprintf(out, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
            (LEFT + RIGHT) / 2, HEIGHT - 16);
    html_text(out, plot->x_name);
    fprintf(out, "</text><text class=\"tick\" transform=\"translate(14 %d) rotate(-90)\" ",
            (UPPER + LOWER) / 2);
    fputs("text-anchor=\"middle\">", out);
    html_text(out, plot->y_name);
    fputs("</text>\n", out);
}

void plot_scatter(FILE *out, const scatter *plot)
{
    double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
    range(plot->x, plot->n, &x_low, &x_high);
    range(plot->y, plot->n, &y_low, &y_high);
    if (plot->diagonal) {
        x_low = y_low = fmin(x_low, y_low);
        x_high = y_high = fmax(x_high, y_high);
    }
    axis x = axis_of(x_low, x_high), y = axis_of(y_low, y_high);
    fprintf(out, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_text(out, plot->title);
    fputs("\">\n", out);
    put_axes(out, plot, &x, &y);
    if (plot->diagonal)
        fprintf(out, "<path class=\"ideal\" d=\"M%d %dL%d %d\"/>\n", LEFT, LOWER, RIGHT, UPPER);
    fputs("<g class=\"dots\">", out);
    for (size_t i = 0; i < plot->n; i++) {
        fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"", at_x(&x, plot->x[i]),
                at_y(&y, plot->y[i]));
        if (plot->shade && plot->shades > 1)
            fprintf(out, " fill-opacity=\"%.2f\"", 1 - 0.75 * plot->shade[i] / (plot->shades - 1));
        fputs("><title>", out);
        html_text(out, plot->name[i]);
        fprintf(out, ": %.6g, %.6g</title></circle>\n", plot->x[i], plot->y[i]);
    }
    fputs("</g></svg><figcaption>", out);
    html_text(out, plot->title);
    fputs("</figcaption></figure>\n", out);
}
