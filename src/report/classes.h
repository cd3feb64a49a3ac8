/* Precision, recall and F1 of each class, and the confusion matrix. */
#ifndef SCARLET_SRC_REPORT_CLASSES_H
#define SCARLET_SRC_REPORT_CLASSES_H

#include <stdio.h>

#include "common/class_names.h"
#include "tally.h"

/* Mean F1, from 0 to 1, of the classes that occur. */
double macro_f1(const tally *t);
/* A table that the reader can sort; for many classes a plot too. */
void put_classes(FILE *out, const tally *t, const cli_names *names);
/* The confusion matrix as a heat map, for up to 50 classes, and the most frequent confusions. */
void put_confusions(FILE *out, const tally *t, const cli_names *names);

#endif
