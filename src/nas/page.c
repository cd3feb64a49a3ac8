#include "page.h"

#include <math.h>

#include "common/message.h"
#include "verify/html.h"

enum { WIDTH = 420, HEIGHT = 320, LEFT = 58, RIGHT = 396, UPPER = 12, LOWER = 262, TICKS = 5 };

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--text:#1c2330;--dim:#5b6575;--line:#d5d9e0;"
    "--dot:#2f6fb3}\n"
    "@media(prefers-color-scheme:dark){:root{--page:#14171c;--text:#e6e9ee;--dim:#9aa4b2;"
    "--line:#343b46;--dot:#5b9de0}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1000px;padding:16px;"
    "background:var(--page);color:var(--text);font:16px/1.45 system-ui,sans-serif;"
    "overflow-wrap:anywhere}\n"
    "h1{font-size:1.5em;margin:.3em 0}h2{font-size:1.15em;margin:1.6em 0 .5em}"
    "figcaption,.dim{color:var(--dim);font-size:.88em}\n"
    ".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(340px,100%),1fr));"
    "gap:16px}figure{margin:0}svg{width:100%;height:auto;display:block}\n"
    ".grid{stroke:var(--line);fill:none}.line{stroke:var(--dim);stroke-dasharray:4 3;fill:none}"
    ".tick{fill:var(--dim);font:11px system-ui,sans-serif}"
    ".dots circle{fill:var(--dot);stroke:var(--page);stroke-width:.5}"
    ".dots circle:hover{fill:var(--text)}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{text-align:left;padding:4px 10px;border-bottom:1px solid var(--line)}"
    ".n{text-align:right}.scroll{overflow-x:auto}\n";

FILE *page_open(const char *path, const char *title)
{
    FILE *out = fopen(path, "w");
    if (!out)
        cli_refuse_errno(path);
    fputs(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\"><title>",
        out);
    html_text(out, title);
    fprintf(out, "</title><style>%s</style></head>\n<body><h1>", style);
    html_text(out, title);
    fputs("</h1>\n", out);
    return out;
}

void page_close(FILE *out, const char *path)
{
    fputs("</body></html>\n", out);
    bool failed = ferror(out);
    if (fclose(out) != 0 || failed)
        cli_discard(path);
}

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
    a.step = rough <= 2 * power ? 2 * power : rough <= 5 * power ? 5 * power : 10 * power;
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

void page_scatter(FILE *out, const scatter *plot)
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
        fprintf(out, "<path class=\"line\" d=\"M%d %dL%d %d\"/>\n", LEFT, LOWER, RIGHT, UPPER);
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
