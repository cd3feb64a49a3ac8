#include "interrupt.h"

#include <signal.h>

static volatile sig_atomic_t caught;

static void on_interrupt(int signal)
{
    caught = signal;
}

void interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND}, before;
    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler == SIG_IGN)
        return;
    sigaction(SIGINT, &action, NULL);
}

void interrupt_catch_termination(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGTERM, &action, NULL);
}

bool interrupted(void)
{
    return caught;
}

void interrupt_finish(void)
{
    signal(caught, SIG_DFL);
    raise(caught);
}
