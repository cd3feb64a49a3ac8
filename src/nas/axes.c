#include "axes.h"

#include <math.h>

#include "report/html.h"

enum { WIDTH = 420, HEIGHT = 320, TICKS = 5 };

axis axis_of(double low, double high)
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

double at_x(const axis *a, double value)
{
    return PLOT_LEFT + share(a, value) * (PLOT_RIGHT - PLOT_LEFT);
}

double at_y(const axis *a, double value)
{
    return PLOT_LOWER - share(a, value) * (PLOT_LOWER - PLOT_UPPER);
}

void axis_range(const double *values, size_t n, double *low, double *high)
{
    for (size_t i = 0; i < n; i++) {
        *low = fmin(*low, values[i]); /* not NaN */
        *high = fmax(*high, values[i]);
    }
}

/* 0 on an axis of values that are not finite. */
static int ticks(const axis *a)
{
    const double steps = floor((a->high - a->first) / a->step);
    return steps >= 0 && steps < 10 * TICKS ? (int)steps + 1 : 0;
}

/* A tick's value, 0 where rounding leaves almost nothing. */
static double tick(const axis *a, int i)
{
    const double value = a->first + i * a->step;
    return fabs(value) < a->step / 1000 ? 0 : value;
}

void axes_open(FILE *out, const char *title, const axis *x, const char *x_name, const axis *y,
               const char *y_name)
{
    fprintf(out, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    html_text(out, title);
    fputs("\">\n", out);
    for (int i = 0; i < ticks(y); i++)
        fprintf(out,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"tick\" x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%.7g</text>\n",
                PLOT_LEFT, at_y(y, tick(y, i)), PLOT_RIGHT, PLOT_LEFT - 6, at_y(y, tick(y, i)) + 4,
                tick(y, i));
    for (int i = 0; i < ticks(x); i++)
        fprintf(out,
                "<path class=\"grid\" d=\"M%.1f %dV%d\"/><text class=\"tick\" x=\"%.1f\" y=\"%d\" "
                "text-anchor=\"middle\">%.7g</text>\n",
                at_x(x, tick(x, i)), PLOT_UPPER, PLOT_LOWER, at_x(x, tick(x, i)), PLOT_LOWER + 16,
                tick(x, i));
    fprintf(out, "<text class=\"tick\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
            (PLOT_LEFT + PLOT_RIGHT) / 2, HEIGHT - 16);
    html_text(out, x_name);
    fprintf(out, "</text><text class=\"tick\" transform=\"translate(14 %d) rotate(-90)\" ",
            (PLOT_UPPER + PLOT_LOWER) / 2);
    fputs("text-anchor=\"middle\">", out);
    html_text(out, y_name);
    fputs("</text>\n", out);
}
