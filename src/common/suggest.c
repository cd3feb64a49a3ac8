#include "suggest.h"

#include <stdbool.h>
#include <string.h>

enum { LENGTH_MAX = 32 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to add, drop, change or swap with their neighbours between two words. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LENGTH_MAX + 1], n = strlen(a), m = strlen(b);
    if (n > LENGTH_MAX || m > LENGTH_MAX)
        return LENGTH_MAX;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

const char *suggest(const char *typed, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t nearest = strlen(typed) / 3 + 1; /* a third may be wrong */
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(typed, words[i]);
        bool begins = strlen(typed) > 2 && strncmp(typed, words[i], strlen(typed)) == 0;
        if (d < nearest || (d == nearest && !best) || (begins && !best)) {
            best = words[i];
            nearest = least(d, nearest);
        }
    }
    return best;
}
