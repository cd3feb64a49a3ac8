/* Inline SVG in the colours of the page. */
#ifndef SCARLET_SRC_REPORT_PLOTS_H
#define SCARLET_SRC_REPORT_PLOTS_H

#include <stdio.h>

#include "tally.h"

/* Calibration, and how often each confidence occurs. */
void put_confidence(FILE *out, const tally *t);
/* Accuracy of each class that occurs, the worst first. */
void plot_classes(FILE *out, const class_sums *sorted, size_t count);

#endif
