/* Inline SVG in the colours of the page. */
#ifndef SCARLET_SRC_VERIFY_PLOTS_H
#define SCARLET_SRC_VERIFY_PLOTS_H

#include <stdio.h>

#include "tally.h"

void plot_calibration(FILE *out, const tally *t);
void plot_confidence(FILE *out, const tally *t);
/* Accuracy of each class that occurs, the worst first. */
void plot_classes(FILE *out, const class_sums *sorted, size_t count);

#endif
