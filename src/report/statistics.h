/* Statistics of counts. */
#ifndef SCARLET_SRC_REPORT_STATISTICS_H
#define SCARLET_SRC_REPORT_STATISTICS_H

#include <stdint.h>

double percent(int64_t part, int64_t whole);
/* Bounds of Wilson's interval at 95 %, in percent. */
void wilson(int64_t part, int64_t whole, double bounds[2]);
/* Exact two-sided p of McNemar's test for b and c discordant pictures. */
double mcnemar(int64_t b, int64_t c);

#endif
