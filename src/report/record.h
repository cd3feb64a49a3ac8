/* What became of one picture. */
#ifndef SCARLET_SRC_REPORT_RECORD_H
#define SCARLET_SRC_REPORT_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json_read.h"
#include "common/json_write.h"

enum { TOP = 5 };

/* Of one model about one picture. */
typedef struct answer {
    int32_t top[TOP];        /* classes, the most probable first; -1 past the number of classes */
    float confidence, truth; /* probability of top[0], of the right class */
} answer;

typedef struct record {
    size_t index;
    char *file;
    int64_t label;
    char *error;      /* NULL: evaluated */
    answer answer[2]; /* the second of --compare */
} record;

void record_write(json *j, const record *r, size_t top, bool two);
/* False if the object is not a record. Strings belong to the document. */
bool record_read(const json_doc *doc, const json_node *object, record *out, size_t top, bool two);
/* The answer that scores give; they become probabilities. */
answer answer_of(float *scores, size_t classes, int64_t label);
bool answer_hit(const answer *a, int64_t label, size_t top);

#endif
