#include "mistakes.h"

#include "html.h"

void put_mistakes(FILE *out, const tally *t, const cli_names *names, char *const *thumbnail)
{
    fputs(
        "<h2>Worst mistakes</h2>\n<p class=\"dim\">Wrong with the highest confidence.</p>\n"
        "<div class=\"worst\" id=\"worst\">\n",
        out);
    for (size_t i = 0; i < t->worst.count; i++) {
        const record *w = &t->worst.item[i];
        fputs("<figure>", out);
        if (thumbnail && thumbnail[i])
            fputs(thumbnail[i], out);
        fputs("<b>", out);
        html_class(out, names, w->answer[0].top[0]);
        fprintf(out, "</b> %.1f %%<br>is <b>", 100 * (double)w->answer[0].confidence);
        html_class(out, names, w->label);
        fprintf(out, "</b> %.1f %%<figcaption>", 100 * (double)w->answer[0].truth);
        html_text(out, w->file);
        fputs("</figcaption></figure>\n", out);
    }
    fputs("</div>\n", out);
}
