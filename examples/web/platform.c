/*
 * What the library has from elsewhere on a desktop, for a page: one thread, one instruction set,
 * and no XNNPACK.
 */
#include "common/cpu.h"
#include "common/error.h"
#include "engine/engine.h"
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

/* ---- for lib/engine/xnnpack.c ---- */

static scarlet_status no_weights(const scarlet__network *network, const scarlet__tensors *tensors,
                                 const scarlet__kernels *kernels, int precision, void **weights,
                                 size_t *bytes, scarlet_error *err)
{
    (void)network, (void)tensors, (void)kernels, (void)precision, (void)weights, (void)bytes;
    return scarlet__fail(err, SCARLET_ERROR_UNSUPPORTED, "option engine: xnnpack is not in a page");
}

static void nothing(void *weights)
{
    (void)weights;
}

const scarlet__engine scarlet__engine_xnnpack = {
    .id = SCARLET_ENGINE_XNNPACK,
    .weights_create = no_weights,
    .weights_free = nothing,
};
