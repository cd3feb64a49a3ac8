/*
 * State of the calling thread that belongs to the host program: errno and the floating-point
 * environment. A host may have set another rounding mode or flush-to-zero: results must not depend
 * on it, and the host must not find it changed.
 */
#ifndef SCARLET_COMMON_HOST_H
#define SCARLET_COMMON_HOST_H

#include <errno.h>
#include <fenv.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

typedef struct scarlet__host {
    int code;
    fenv_t environment;
} scarlet__host;

/* Saves the state and sets the default: round to nearest, denormals kept, no traps. */
static inline scarlet__host scarlet__host_enter(void)
{
    scarlet__host host = {.code = errno};
    fegetenv(&host.environment);
    fesetenv(FE_DFL_ENV);
#if defined(__x86_64__)
    _mm_setcsr(0x1F80); /* FE_DFL_ENV need not clear flush-to-zero */
#endif
    return host;
}

static inline void scarlet__host_leave(const scarlet__host *host)
{
    fesetenv(&host->environment);
    errno = host->code;
}

#endif
