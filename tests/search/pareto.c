/* Ranks, crowding and hypervolume against definitions written out, on random points with ties. */
#include <math.h>
#include <string.h>

#include "nas/data/random.h"
#include "nas/search/pareto.h"
#include "test.h"

enum { POPULATIONS = 20000, POINTS_MAX = 60, LEVELS_MAX = 12 };

static scarlet__point point[POINTS_MAX];

/* Constrained domination, case by case. */
static bool beats(const scarlet__point *a, const scarlet__point *b, int n)
{
    bool a_good = a->violation <= 0, b_good = b->violation <= 0;
    if (a_good != b_good)
        return a_good;
    if (!a_good)
        return a->violation < b->violation;
    int better = 0, worse = 0;
    for (int i = 0; i < n; i++) {
        better += a->objective[i] < b->objective[i];
        worse += a->objective[i] > b->objective[i];
    }
    return better > 0 && worse == 0;
}

/* Peels front after front. */
static void check_ranks(const int *rank, int count, int n)
{
    bool gone[POINTS_MAX] = {false};
    for (int now = 0, left = count; left > 0; now++) {
        bool front[POINTS_MAX];
        for (int i = 0; i < count; i++) {
            front[i] = !gone[i];
            for (int k = 0; k < count; k++)
                front[i] &= gone[k] || !beats(&point[k], &point[i], n);
        }
        for (int i = 0; i < count; i++)
            if (front[i]) {
                CHECK(rank[i] == now);
                gone[i] = true;
                left--;
            }
    }
}

/* Without ties: neighbours are the next smaller and the next larger value of the same rank. */
static void check_crowding(const int *rank, const double *distance, int count, int n)
{
    for (int i = 0; i < count; i++) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            double below = -INFINITY, above = INFINITY, low = INFINITY, high = -INFINITY;
            const double x = point[i].objective[k];
            for (int j = 0; j < count; j++) {
                const double y = point[j].objective[k];
                if (rank[j] != rank[i])
                    continue;
                low = fmin(low, y);
                high = fmax(high, y);
                if (y < x)
                    below = fmax(below, y);
                if (y > x)
                    above = fmin(above, y);
            }
            sum += isinf(below) || isinf(above) ? INFINITY : (above - below) / (high - low);
        }
        CHECK(isinf(sum) ? isinf(distance[i]) : fabs(distance[i] - sum) < 1e-12 * (1 + sum));
    }
}

/* Counts the unit cells that are dominated. */
static double cells(int count, int n, int edge)
{
    double sum = 0;
    for (int x = 0; x < edge; x++)
        for (int y = 0; y < edge; y++)
            for (int z = 0; z < (n == 3 ? edge : 1); z++) {
                bool covered = false;
                for (int i = 0; i < count; i++)
                    covered |= point[i].objective[0] <= x && point[i].objective[1] <= y &&
                               (n < 3 || point[i].objective[2] <= z);
                sum += covered;
            }
    return sum;
}

static void check_volume(int count, int n, int levels)
{
    const int edge = levels - 1; /* some points are on or beyond the reference */
    double flat[POINTS_MAX * 3], volume;
    const double reference[3] = {edge, edge, edge};
    for (int i = 0; i < count; i++)
        memcpy(flat + i * n, point[i].objective, (size_t)n * sizeof *flat);
    CHECK(scarlet_hypervolume(flat, (size_t)count, n, reference, &volume, NULL) == SCARLET_OK);
    CHECK(fabs(volume - cells(count, n, edge)) < 1e-9);
}

int main(void)
{
    scarlet__random random = scarlet__random_at(1, 0, 0, 0);
    for (int test = 0; test < POPULATIONS; test++) {
        const int count = 1 + (int)scarlet__random_below(&random, POINTS_MAX);
        const int n = 2 + (int)scarlet__random_below(&random, 2);
        const int levels = 2 + (int)scarlet__random_below(&random, LEVELS_MAX - 1);
        const bool ties = test % 2, constrained = test % 3 == 0;
        int rank[POINTS_MAX];
        double distance[POINTS_MAX];
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < n; k++)
                point[i].objective[k] = ties ? scarlet__random_below(&random, (uint32_t)levels)
                                             : scarlet__random_unit(&random);
            point[i].violation = constrained ? (double)scarlet__random_below(&random, 4) - 1 : 0;
        }
        CHECK(scarlet__pareto_ranks(point, (size_t)count, n, rank));
        check_ranks(rank, count, n);
        CHECK(scarlet__crowding(point, rank, (size_t)count, n, distance));
        if (!ties)
            check_crowding(rank, distance, count, n);
        else if (test % 20 == 1)
            check_volume(count, n, levels);
    }
    double volume = 1;
    const double reference[3] = {1, 1, 1}, far[2] = {2, 0};
    CHECK(scarlet_hypervolume(NULL, 0, 2, reference, &volume, NULL) == SCARLET_OK && volume == 0);
    CHECK(scarlet_hypervolume(far, 1, 2, reference, &volume, NULL) == SCARLET_OK && volume == 0);
    CHECK(scarlet_hypervolume(far, 1, 4, reference, &volume, NULL) == SCARLET_ERROR_ARGUMENT);
    return test_result();
}
