#include "progress.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { WIDTH = 30, INTERVAL = 100000000 /* ns: ten updates a second */ };

static struct {
    bool on, shown;
    size_t total;
    int64_t start, last;
} bar;

void progress_start(size_t total, bool quiet)
{
    const char *terminal = getenv("TERM");
    bar.on =
        total != 1 && !quiet && isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
    bar.total = total;
    bar.start = bar.last = now_nanos();
}

void progress_step(size_t done)
{
    int64_t now = bar.on ? now_nanos() : 0;
    if (!bar.on || now - bar.last < INTERVAL)
        return;
    bar.last = now;
    double seconds = (double)(now - bar.start) * 1e-9;
    bar.shown = true;
    if (!bar.total) {
        fprintf(stderr, "\r%zu  %.1f/s\033[K", done, (double)done / seconds);
        return;
    }
    int filled = (int)(done * WIDTH / bar.total);
    fprintf(stderr, "\r[%.*s%*s] %zu/%zu  %.1f/s  %.0f s left\033[K", filled,
            "##############################", WIDTH - filled, "", done, bar.total,
            (double)done / seconds, seconds / (double)done * (double)(bar.total - done));
}

void progress_hide(void)
{
    if (bar.shown)
        fputs("\r\033[K", stderr);
    bar.shown = false;
}
