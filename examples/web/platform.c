/*
 * What the library has from elsewhere on a desktop, for a page: one thread, one instruction set.
 */
#include "common/cpu.h"
#include "common/error.h"
#include "engine/fused/team.h"

/* ---- for lib/common/cpu.c ---- */

int scarlet__cpu_isa(int64_t isa_max)
{
    (void)isa_max;
    return SCARLET_ISA_PORTABLE;
}

unsigned scarlet__cpu_count(void)
{
    return 1;
}

/* ---- for lib/engine/fused/team.c: a team of one ---- */

scarlet_status scarlet__team_begin(scarlet__team *team, unsigned threads, scarlet_error *err)
{
    if (threads != 1)
        return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED, "a page has one thread");
    team->threads = 1;
    return SCARLET_OK;
}

void scarlet__team_end(scarlet__team *team)
{
    (void)team;
}

void scarlet__team_run(scarlet__team *team, scarlet__team_fn fn, void *context)
{
    scarlet__member member = {.team = team};
    fn(context, &member);
}

bool scarlet__team_task(scarlet__member *member, size_t tasks, size_t *i)
{
    if (member->taken < tasks) {
        *i = member->taken++;
        return true;
    }
    member->taken = 0;
    return false;
}
