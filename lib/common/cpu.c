#include "common/cpu.h"

#include <cpuinfo.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* cpuinfo_initialize guards itself with pthread_once. */
static int detected(void)
{
    if (!cpuinfo_initialize())
        return SCARLET_ISA_PORTABLE;
#if defined(__x86_64__)
    if (!cpuinfo_has_x86_avx2() || !cpuinfo_has_x86_fma3())
        return SCARLET_ISA_PORTABLE;
    if (!cpuinfo_has_x86_avx512f() || !cpuinfo_has_x86_avx512bw() || !cpuinfo_has_x86_avx512dq() ||
        !cpuinfo_has_x86_avx512vl())
        return SCARLET_ISA_AVX2;
    if (!cpuinfo_has_x86_avx512vnni())
        return SCARLET_ISA_AVX512;
    return cpuinfo_has_x86_avx512bf16() ? SCARLET_ISA_AVX512BF16 : SCARLET_ISA_AVX512VNNI;
#else
    return SCARLET_ISA_PORTABLE;
#endif
}

int scarlet__cpu_isa(int64_t isa_max)
{
    int isa = detected();
    return isa_max < isa ? (int)isa_max : isa;
}

const char *scarlet__cpu_name(void)
{
    return cpuinfo_initialize() && *cpuinfo_get_package(0)->name ? cpuinfo_get_package(0)->name
                                                                 : "unknown CPU";
}

/* First line of a small file; false if it cannot be read. */
static int first_line(const char *path, char *line, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, line, room - 1);
    close(fd);
    if (n <= 0)
        return 0;
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return 1;
}

/* Whole CPUs of the cgroup's quota, rounded up; 0 if there is none. The process' own group is
 * seen at the mount's root inside a container, which is where quotas are met. */
static unsigned quota(void)
{
    char line[64];
    long long used = 0, period = 0;
    if (first_line("/sys/fs/cgroup/cpu.max", line, sizeof line)) {
        if (sscanf(line, "%lld %lld", &used, &period) != 2)
            return 0; /* "max 100000" */
    } else if (first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", line, sizeof line) &&
               sscanf(line, "%lld", &used) == 1 &&
               first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", line, sizeof line)) {
        if (sscanf(line, "%lld", &period) != 1)
            return 0;
    }
    if (used <= 0 || period <= 0)
        return 0;
    long long cpus = (used + period - 1) / period;
    return cpus > 4096 ? 4096 : (unsigned)cpus;
}

unsigned scarlet__cpu_count(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    unsigned cpus = count > 0 ? (unsigned)count : 1, limit = quota();
    return limit && limit < cpus ? limit : cpus;
}
