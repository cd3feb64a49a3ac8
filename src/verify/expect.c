#include "expect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/message.h"
#include "report/statistics.h"

void expected_figures(const cli_command *command, const char *text, double figures[2])
{
    static const struct {
        const char *name;
        double figures[2];
    } paper[] = {
        /* Chu et al., arXiv 1908.06022, table of ImageNet results */
        {"SCARLET-A", {76.9, 93.4}},
        {"SCARLET-B", {76.3, 93.0}},
        {"SCARLET-C", {75.6, 92.6}},
    };
    for (size_t i = 0; i < sizeof paper / sizeof *paper; i++)
        if (strcmp(paper[i].name, text) == 0) {
            memcpy(figures, paper[i].figures, sizeof paper[i].figures);
            return;
        }
    char rest;
    if (sscanf(text, "%lf:%lf%c", &figures[0], &figures[1], &rest) != 2)
        cli_usage(command, "--expect: \"%s\" is neither SCARLET-A, -B, -C nor TOP1:TOP5 in percent",
                  text);
}

bool result_expect(const result *r, const char *text, const double figures[2])
{
    const double tolerance = 0.05 + 1e-9; /* 76.85 itself is within it */
    const tally *t = &r->tally;
    double found[2] = {percent(t->right, t->total), percent(t->hits, t->total)};
    bool good = true;
    for (int i = 0; i < 2; i++)
        good &= fabs(found[i] - figures[i]) <= tolerance;
    cli_error("%s %s: top-1 %.4f, expected %.2f; top-%zu %.4f, expected %.2f; at most 0.05 off",
              good ? "as expected of" : "not as expected of", text, found[0], figures[0], t->top,
              found[1], figures[1]);
    return good;
}

bool result_at_least(const result *r, double top1)
{
    double found = percent(r->tally.right, r->tally.total);
    if (found >= top1)
        return true;
    cli_error("top-1 %.4f is less than %.10g", found, top1);
    return false;
}
