/* A file of records for people: CSV if its name ends so, else a JSON object a line. */
#ifndef SCARLET_SRC_VERIFY_PREDICTIONS_H
#define SCARLET_SRC_VERIFY_PREDICTIONS_H

#include "common/output.h"
#include "report/record.h"

typedef struct predictions {
    output_file out;
    bool csv, two;
    size_t top;
} predictions;

void predictions_open(predictions *p, const char *path, size_t top, bool two);
void predictions_add(predictions *p, const record *r);
void predictions_close(predictions *p);

#endif
