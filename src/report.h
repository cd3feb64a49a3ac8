/* The parts of the page that `scarlet verify --report` writes. */
#ifndef SCARLET_SRC_REPORT_H
#define SCARLET_SRC_REPORT_H

#include "verify.h"

/* Text for HTML: marked-up characters escaped, bytes that are not UTF-8 replaced. */
void html_text(FILE *out, const char *text);
/* Name of a class, or "class N". */
void html_class(FILE *out, const cli_names *names, int64_t class_id);

/* ---- plots.c: inline SVG in the colours of the page ---- */

void plot_calibration(FILE *out, const tally *t);
void plot_confidence(FILE *out, const tally *t);
/* Accuracy of each class that occurs, the worst first. */
void plot_classes(FILE *out, const class_sums *sorted, size_t count);

/* ---- thumbnail.c ---- */

/* A small picture as <img> with a data: address; nothing if it fails. */
void html_thumbnail(FILE *out, const scarlet_image *image);

#endif
