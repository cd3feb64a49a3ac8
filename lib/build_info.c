/* What this build is made of and what it runs on; beside the folders because it names a piece of
 * each. */
#include <pthread.h>
#include <stdio.h>

#include "common/cpu.h"
#include "common/host.h"
#include "engine/kernels/kernels.h"

static char text[256];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void compose(void)
{
    static const char sets[] =
#define SET(suffix, isa, vector) " " #suffix
#include "engine/kernels/sets.h"
        ;
    int isa = scarlet__kernels_for(scarlet__cpu_isa(SCARLET_ISA_ANY))->isa;
    snprintf(text, sizeof text, "libscarlet %s, %s, %s, libpng %s; kernels:%s, using %s",
             scarlet_version_string(), SCARLET__XNNPACK, SCARLET__JPEG, SCARLET__PNG, sets,
             scarlet_option_value_name(SCARLET_OPT_ISA_MAX, isa));
}

const char *scarlet_build_info(void)
{
    scarlet__host host = scarlet__host_enter();
    pthread_once(&once, compose);
    scarlet__host_leave(&host);
    return text;
}

int32_t scarlet_cpu_count(void)
{
    scarlet__host host = scarlet__host_enter();
    unsigned count = scarlet__cpu_count();
    scarlet__host_leave(&host);
    return (int32_t)count;
}
