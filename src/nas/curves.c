#include "curves.h"

#include <math.h>

#include "axes.h"
#include "report/html.h"

static void put_curve(FILE *out, const curves *plot, size_t k, const axis *x, const axis *y)
{
    const double *values = plot->curve[k].y;
    fprintf(out, "<path class=\"curve c%zu\" d=\"", k);
    char stroke = 'M';
    for (size_t i = 0; i < plot->n; i++) {
        if (isnan(values[i])) {
            stroke = 'M';
            continue;
        }
        fprintf(out, "%c%.1f %.1f", stroke, at_x(x, plot->x[i]), at_y(y, values[i]));
        stroke = 'L';
    }
    fputs("\"/>\n", out);
    for (size_t i = 0; i < plot->n; i++)
        if (!isnan(values[i])) {
            fprintf(out, "<circle class=\"spot c%zu%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>", k,
                    plot->n == 1 ? " lone" : "", at_x(x, plot->x[i]), at_y(y, values[i]));
            html_text(out, plot->curve[k].name);
            fprintf(out, ": %.6g at %.6g</title></circle>\n", values[i], plot->x[i]);
        }
}

void plot_curves(FILE *out, const curves *plot)
{
    double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
    axis_range(plot->x, plot->n, &x_low, &x_high);
    for (size_t k = 0; k < plot->count; k++)
        axis_range(plot->curve[k].y, plot->n, &y_low, &y_high);
    if (!isfinite(x_low) || !isfinite(y_low))
        return;
    axis x = axis_of(x_low, x_high), y = axis_of(y_low, y_high);
    axes_open(out, plot->title, &x, plot->x_name, &y, "");
    for (size_t k = 0; k < plot->count; k++)
        put_curve(out, plot, k, &x, &y);
    if (plot->marked < plot->n && plot->count) {
        double value = plot->curve[plot->count - 1].y[plot->marked];
        if (!isnan(value))
            fprintf(out, "<circle class=\"mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"6\"/>\n",
                    at_x(&x, plot->x[plot->marked]), at_y(&y, value));
    }
    fputs("</svg><figcaption>", out);
    html_text(out, plot->title);
    for (size_t k = 0; plot->count > 1 && k < plot->count; k++) {
        fprintf(out, "%s<span class=\"key c%zu\"></span>", k ? ", " : ": ", k);
        html_text(out, plot->curve[k].name);
    }
    fputs("</figcaption></figure>\n", out);
}
