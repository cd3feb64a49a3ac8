#include "nas/search/pareto.h"

#include <math.h>
#include <stdlib.h>

#include "common/error.h"
#include "common/memory.h"

bool scarlet__dominates(const scarlet__point *a, const scarlet__point *b, int objectives)
{
    const double x = fmax(a->violation, 0), y = fmax(b->violation, 0);
    if (x > 0 || y > 0)
        return x < y;
    bool better = false;
    for (int i = 0; i < objectives; i++) {
        if (a->objective[i] > b->objective[i])
            return false;
        better |= a->objective[i] < b->objective[i];
    }
    return better;
}

/* Points lose their dominators rank by rank: Deb's fast sort, without lists. */
bool scarlet__pareto_ranks(const scarlet__point *point, size_t count, int objectives, int *rank)
{
    size_t *above = scarlet__calloc(count, sizeof *above); /* dominators without a rank */
    if (!above)
        return false;
    for (size_t i = 0; i < count; i++) {
        rank[i] = -1;
        for (size_t k = 0; k < count; k++)
            above[i] += scarlet__dominates(&point[k], &point[i], objectives);
    }
    size_t left = count;
    for (int now = 0; left > 0; now++) {
        for (size_t i = 0; i < count; i++)
            if (rank[i] < 0 && above[i] == 0) {
                rank[i] = now;
                left--;
            }
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; rank[i] == now && k < count; k++)
                above[k] -= rank[k] < 0 && scarlet__dominates(&point[i], &point[k], objectives);
    }
    scarlet__free(above);
    return true;
}

/* ---- crowding ---- */

typedef struct place {
    double value;
    int rank;
    size_t index;
} place;

static int by_rank_and_value(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

bool scarlet__crowding(const scarlet__point *point, const int *rank, size_t count, int objectives,
                       double *distance)
{
    place *order = scarlet__alloc(count, sizeof *order);
    if (!order)
        return false;
    for (size_t i = 0; i < count; i++)
        distance[i] = 0;
    for (int k = 0; k < objectives; k++) {
        for (size_t i = 0; i < count; i++)
            order[i] = (place){point[i].objective[k], rank[i], i};
        qsort(order, count, sizeof *order, by_rank_and_value);
        for (size_t first = 0, end; first < count; first = end) {
            for (end = first + 1; end < count && order[end].rank == order[first].rank;)
                end++;
            const double range = order[end - 1].value - order[first].value;
            distance[order[first].index] = distance[order[end - 1].index] = INFINITY;
            for (size_t i = first + 1; i + 1 < end; i++)
                if (range > 0)
                    distance[order[i].index] += (order[i + 1].value - order[i - 1].value) / range;
        }
    }
    scarlet__free(order);
    return true;
}

/* ---- hypervolume ---- */

static int by_first(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] < y[0] ? -1 : x[0] > y[0];
}

static int by_last(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[2] < y[2] ? -1 : x[2] > y[2];
}

/* Area that points [x, y, z], sorted by x, dominate below the reference; z at most `slice`. */
static double area(const double (*point)[3], size_t count, const double *reference, double slice)
{
    double sum = 0, lowest = reference[1];
    for (size_t i = 0; i < count; i++) {
        if (point[i][2] > slice || point[i][0] >= reference[0] || point[i][1] >= lowest)
            continue;
        sum += (reference[0] - point[i][0]) * (lowest - point[i][1]);
        lowest = point[i][1];
    }
    return sum;
}

scarlet_status scarlet_hypervolume(const double *points, size_t count, int32_t objectives,
                                   const double *reference, double *volume, scarlet_error *err)
{
    if ((!points && count) || !reference || !volume || objectives < 2 || objectives > 3)
        return scarlet__fail(err, SCARLET_ERROR_ARGUMENT,
                             "hypervolume: an argument is NULL, or not of 2 or 3 objectives");
    double(*sorted)[3] = scarlet__alloc(count, sizeof *sorted);
    double *height = scarlet__alloc(count, sizeof *height);
    *volume = 0;
    if (!sorted || !height) {
        scarlet__free(sorted);
        scarlet__free(height);
        return scarlet__fail_memory(err);
    }
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < 3; k++)
            sorted[i][k] = k < objectives ? points[i * (size_t)objectives + (size_t)k] : 0;
    if (objectives == 2) {
        qsort(sorted, count, sizeof *sorted, by_first);
        *volume = area((const double(*)[3])sorted, count, reference, 0);
    } else { /* slices from each point's height to the next */
        qsort(sorted, count, sizeof *sorted, by_last);
        for (size_t i = 0; i < count; i++)
            height[i] = sorted[i][2];
        qsort(sorted, count, sizeof *sorted, by_first);
        for (size_t i = 0; i < count && height[i] < reference[2]; i++) {
            const double top = i + 1 < count ? fmin(height[i + 1], reference[2]) : reference[2];
            if (top > height[i])
                *volume += (top - height[i]) *
                           area((const double(*)[3])sorted, count, reference, height[i]);
        }
    }
    scarlet__free(sorted);
    scarlet__free(height);
    return SCARLET_OK;
}
