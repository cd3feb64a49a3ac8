#include "interrupt.h"

#include <signal.h>

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
