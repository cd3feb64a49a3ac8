/* The decomposition of matrices of all ranks and conditions, and where LETs begin. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nas/data/random.h"
#include "nas/supernet/let.h"
#include "nas/supernet/svd.h"
#include "test.h"

enum { N_MAX = 48 };

/* How far the columns are from orthonormal. */
static double skew(const double *q, int n)
{
    double worst = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) {
            double dot = 0;
            for (int j = 0; j < n; j++)
                dot += q[j * n + i] * q[j * n + k];
            worst = fmax(worst, fabs(dot - (i == k)));
        }
    return worst;
}

static void check(const double *a, int n, int rank)
{
    static double u[N_MAX * N_MAX], v[N_MAX * N_MAX], s[N_MAX];
    scarlet__svd(a, n, u, s, v);
    CHECK(skew(u, n) < 1e-12 && skew(v, n) < 1e-12);
    double worst = 0;
    for (int i = 0; i < n; i++) {
        CHECK(s[i] >= 0 && (i == 0 || s[i] <= s[i - 1]));
        CHECK(i < rank || s[i] <= 1e-12 * s[0]);
        for (int k = 0; k < n; k++) {
            double sum = 0;
            for (int j = 0; j < n; j++)
                sum += u[i * n + j] * s[j] * v[k * n + j];
            worst = fmax(worst, fabs(sum - a[i * n + k]));
        }
    }
    CHECK(worst <= 1e-13 * n * s[0]);
}

int main(void)
{
    static double a[N_MAX * N_MAX], b[N_MAX * N_MAX], c[N_MAX * N_MAX];
    scarlet__random random = scarlet__random_at(1, 0, 0, 0);
    for (int n = 1; n <= N_MAX; n += n < 8 ? 1 : 8)
        for (int rank = 0; rank <= n; rank += n < 8 || rank == 0 ? 1 : n - 1) {
            for (int i = 0; i < n * n; i++) {
                b[i] = scarlet__random_between(&random, -1, 1);
                c[i] = scarlet__random_between(&random, -1, 1);
            }
            for (int i = 0; i < n; i++)
                for (int k = 0; k < n; k++) {
                    a[i * n + k] = 0;
                    for (int j = 0; j < rank; j++) /* a condition of 1e8 */
                        a[i * n + k] += b[i * n + j] * c[j * n + k] * pow(10, -8.0 * j / n);
                }
            check(a, n, rank);
        }
    for (int n = 1; n <= N_MAX; n += 7) {
        CHECK(scarlet__let_start(SCARLET_LET_IDENTITY, n, 1, 2, a));
        CHECK(fabs(scarlet__let_condition(a, n) - 1) < 1e-12 && a[0] == 1);
        CHECK(scarlet__let_start(SCARLET_LET_ORTHOGONAL, n, 1, 2, a));
        CHECK(skew(a, n) < 1e-12 && fabs(scarlet__let_condition(a, n) - 1) < 1e-12);
        CHECK(scarlet__let_start(SCARLET_LET_RANDOM, n, 1, 2, a));
        CHECK(n == 1 || scarlet__let_condition(a, n) > 1.5);
        memcpy(b, a, sizeof a);
        CHECK(scarlet__let_start(SCARLET_LET_RANDOM, n, 1, 3, a));
        CHECK(memcmp(a, b, sizeof a) != 0);
    }
    memset(a, 0, sizeof a);
    CHECK(scarlet__let_condition(a, 3) == INFINITY);
    return test_result();
}
