#include "scatter.h"

#include <math.h>

#include "axes.h"
#include "report/html.h"

void plot_scatter(FILE *out, const scatter *plot)
{
    double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
    axis_range(plot->x, plot->n, &x_low, &x_high);
    axis_range(plot->y, plot->n, &y_low, &y_high);
    if (plot->diagonal) {
        x_low = y_low = fmin(x_low, y_low);
        x_high = y_high = fmax(x_high, y_high);
    }
    axis x = axis_of(x_low, x_high), y = axis_of(y_low, y_high);
    axes_open(out, plot->title, &x, plot->x_name, &y, plot->y_name);
    if (plot->diagonal)
        fprintf(out, "<path class=\"ideal\" d=\"M%d %dL%d %d\"/>\n", PLOT_LEFT, PLOT_LOWER,
                PLOT_RIGHT, PLOT_UPPER);
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
