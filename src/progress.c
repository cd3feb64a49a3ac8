#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum { WIDTH = 30, INTERVAL = 100000000 /* ns: ten updates a second */ };

static struct {
    bool on, shown;
    size_t total;
    int64_t start, last;
} bar;

int64_t now_nanos(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

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

static volatile sig_atomic_t caught;

static void on_interrupt(int signal)
{
    (void)signal;
    caught = 1;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
}

bool interrupted(void)
{
    return caught;
}

void interrupt_finish(void)
{
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
}
