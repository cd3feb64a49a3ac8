#include "mistakes.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "html.h"
#include "pictures/feed.h"
#include "pictures/thumbnail.h"

typedef struct gallery {
    const shelf *worst;
    char *thumbnail[WORST]; /* HTML, NULL: none */
} gallery;

static bool is_worst(const void *user, size_t index)
{
    const shelf *worst = ((const gallery *)user)->worst;
    for (size_t i = 0; i < worst->count; i++)
        if (worst->item[i].index == index)
            return true;
    return false;
}

static char *thumbnail(const cli_picture *picture, const scarlet_options *opts)
{
    scarlet_image *image;
    if (cli_load(picture, opts, &image, &(scarlet_error){0}) != SCARLET_OK)
        return NULL;
    char *text = NULL;
    size_t length;
    FILE *memory = cli_memory(&text, &length);
    html_thumbnail(memory, image);
    fclose(memory);
    scarlet_image_free(image);
    return text;
}

/* Goes through the data once more: archives can only be read from the start. */
static void collect(gallery *g, const cli_inputs *inputs, const scarlet_options *opts)
{
    feed f = {.inputs = inputs, .wanted = is_worst, .user = g};
    size_t left = g->worst->count;
    cli_picture picture;
    while (left && feed_next(&f, &picture)) {
        for (size_t i = 0; i < g->worst->count; i++)
            if (g->worst->item[i].index == picture.index) {
                g->thumbnail[i] = thumbnail(&picture, opts);
                left--;
            }
        cli_picture_free(&picture);
    }
    feed_close(&f);
}

void put_mistakes(FILE *out, const tally *t, const cli_names *names, const cli_inputs *inputs,
                  const scarlet_options *opts)
{
    gallery g = {.worst = &t->worst};
    if (inputs)
        collect(&g, inputs, opts);
    fputs(
        "<h2>Worst mistakes</h2>\n<p class=\"dim\">Wrong with the highest confidence.</p>\n"
        "<div class=\"worst\" id=\"worst\">\n",
        out);
    for (size_t i = 0; i < t->worst.count; i++) {
        const record *w = &t->worst.item[i];
        fputs("<figure>", out);
        if (g.thumbnail[i])
            fputs(g.thumbnail[i], out);
        fputs("<b>", out);
        html_class(out, names, w->answer[0].top[0]);
        fprintf(out, "</b> %.1f %%<br>is <b>", 100 * (double)w->answer[0].confidence);
        html_class(out, names, w->label);
        fprintf(out, "</b> %.1f %%<figcaption>", 100 * (double)w->answer[0].truth);
        html_text(out, w->file);
        fputs("</figcaption></figure>\n", out);
        free(g.thumbnail[i]);
    }
    fputs("</div>\n", out);
}
