#include <math.h>
#include <stdbool.h>

#include "scarlet/scarlet.h"

#include "common/host.h"

/* Whether `a` comes before `b` in the result. */
static bool before(scarlet_prediction a, scarlet_prediction b)
{
    if (isnan(a.score) != isnan(b.score))
        return isnan(b.score);
    if (a.score > b.score || a.score < b.score)
        return a.score > b.score;
    return a.class_id < b.class_id;
}

/* Restores the heap below `root`: a parent comes after its children in the result. */
static void sift(scarlet_prediction *heap, size_t n, size_t root)
{
    scarlet_prediction moved = heap[root];
    for (size_t child = 2 * root + 1; child < n; child = 2 * root + 1) {
        if (child + 1 < n && before(heap[child], heap[child + 1]))
            child++;
        if (!before(moved, heap[child]))
            break;
        heap[root] = heap[child];
        root = child;
    }
    heap[root] = moved;
}

/* A heap of the best k so far, the worst of them on top, in the caller's array: n log k steps, no
 * memory. Sorting it afterwards puts the best first. */
size_t scarlet_topk(const float *scores, size_t n, size_t k, scarlet_prediction *out)
{
    if (!scores || !out || n > INT32_MAX)
        return 0;
    if (k > n)
        k = n;
    if (k == 0)
        return 0;
    /* Without it denormal scores would be equal on a CPU that flushes them to zero. */
    scarlet__host host = scarlet__host_enter();
    for (size_t i = 0; i < k; i++)
        out[i] = (scarlet_prediction){(int32_t)i, scores[i]};
    for (size_t i = k / 2; i > 0; i--)
        sift(out, k, i - 1);
    for (size_t i = k; i < n; i++) {
        scarlet_prediction candidate = {(int32_t)i, scores[i]};
        if (before(candidate, out[0])) {
            out[0] = candidate;
            sift(out, k, 0);
        }
    }
    for (size_t i = k; i-- > 1;) {
        scarlet_prediction worst = out[0];
        out[0] = out[i];
        out[i] = worst;
        sift(out, i, 0);
    }
    scarlet__host_leave(&host);
    return k;
}
