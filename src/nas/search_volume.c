#include "search_volume.h"

#include <math.h>
#include <stdlib.h>

#include "common/alloc.h"

volume_box volume_box_empty(void)
{
    volume_box box;
    for (int k = 0; k < SCARLET_OBJECTIVES_MAX; k++) {
        box.low[k] = INFINITY;
        box.high[k] = -INFINITY;
    }
    return box;
}

void volume_box_add(volume_box *box, const volume_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < SCARLET_OBJECTIVES_MAX; k++) {
            box->low[k] = fmin(box->low[k], points[i].objective[k]);
            box->high[k] = fmax(box->high[k], points[i].objective[k]);
        }
}

double volume_share(const volume_box *box, const volume_point *points, size_t count, int objectives)
{
    static const double reference[SCARLET_OBJECTIVES_MAX] = {1, 1, 1, 1};
    double *scaled = cli_alloc(count * (size_t)objectives, sizeof *scaled), result;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (points[i].violation > 0)
            continue;
        for (int k = 0; k < objectives; k++) {
            const double size = box->high[k] - box->low[k];
            scaled[n++] = size > 0 ? (points[i].objective[k] - box->low[k]) / size : 0;
        }
    }
    if (scarlet_hypervolume(scaled, n / (size_t)objectives, objectives, reference, &result, NULL) !=
        SCARLET_OK)
        result = NAN;
    free(scaled);
    return result;
}
