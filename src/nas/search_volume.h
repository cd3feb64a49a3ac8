/* How much of a space the networks of a search dominate. */
#ifndef SCARLET_SRC_NAS_SEARCH_VOLUME_H
#define SCARLET_SRC_NAS_SEARCH_VOLUME_H

#include <stddef.h>

#include "scarlet/nas.h"

/* A network: objectives, all to be made small, and how far it violates constraints. */
typedef struct volume_point {
    double objective[SCARLET_OBJECTIVES_MAX], violation;
} volume_point;

typedef struct volume_box {
    double low[SCARLET_OBJECTIVES_MAX], high[SCARLET_OBJECTIVES_MAX];
} volume_box;

/* Contains no point yet. */
volume_box volume_box_empty(void);
void volume_box_add(volume_box *box, const volume_point *points, size_t count);
/* The share of the box that the points without violation dominate; NaN unless there are two or
 * three objectives. The points are in the box. */
double volume_share(const volume_box *box, const volume_point *points, size_t count,
                    int objectives);

#endif
