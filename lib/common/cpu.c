#include "common/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#else
#include <sys/auxv.h>
#endif

#include "common/cgroup.h"

/* All from the CPU itself: there may be no /proc, or no descriptor to read it with. */
static int detected(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return SCARLET_ISA_PORTABLE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return SCARLET_ISA_AVX2;
    if (!__builtin_cpu_supports("avx512vnni"))
        return SCARLET_ISA_AVX512;
    return __builtin_cpu_supports("avx512bf16") ? SCARLET_ISA_AVX512BF16 : SCARLET_ISA_AVX512VNNI;
#else
    return SCARLET_ISA_PORTABLE;
#endif
}

int scarlet__cpu_isa(int64_t isa_max)
{
    int isa = detected();
    return isa_max < isa ? (int)isa_max : isa;
}

/* ---- name ---- */

static char name[64];

static void find_name(void)
{
#if defined(__x86_64__)
    const unsigned brand = 0x80000002; /* the first of the leaves of 16 characters */
    enum { PARTS = 3 };
    uint32_t text[PARTS][4] = {{0}};
    for (unsigned i = 0; i < PARTS; i++)
        if (!__get_cpuid(brand + i, &text[i][0], &text[i][1], &text[i][2], &text[i][3]))
            break;
    memcpy(name, text, sizeof text);
#else
    const char *platform = (const char *)getauxval(AT_PLATFORM);
    strncpy(name, platform ? platform : "", sizeof name - 1);
#endif
    const size_t blanks = strspn(name, " ");
    memmove(name, name + blanks, sizeof name - blanks);
    for (size_t n = strlen(name); n > 0 && name[n - 1] == ' '; n--)
        name[n - 1] = '\0';
    if (!*name)
        strcpy(name, "unknown CPU");
}

const char *scarlet__cpu_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_name);
    return name;
}

/* ---- count ---- */

unsigned scarlet__cpu_count(void)
{
    enum { MOST = 1 << 16 }; /* kernels refuse a mask shorter than their own, of at most 8192 */
    unsigned long mask[MOST / (8 * sizeof(unsigned long))] = {0};
    cpu_set_t *set = (cpu_set_t *)(void *)mask;
    int count = sched_getaffinity(0, sizeof mask, set) == 0 ? CPU_COUNT_S(sizeof mask, set) : 1;
    unsigned cpus = count > 0 ? (unsigned)count : 1, limit = scarlet__cgroup_cpus("");
    return limit && limit < cpus ? limit : cpus;
}
