/*
 * How many CPUs the process may use: quotas of control groups, and masks of large machines.
 *
 *   cpu FOLDER     a folder to write in
 */
#include <ftw.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cgroup.h"
#include "common/cpu.h"
#include "test.h"

static char root[4000];

/* In place of the C library's: `pretended` CPUs, on a kernel that was built for 8192. */
static unsigned pretended;
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    if (size < 8192 / 8)
        return -1;
    memset(set, 0, size);
    for (unsigned i = 0; i < pretended; i++)
        CPU_SET_S(2 * i, size, set);
    return 0;
}

/* Writes root/path and the folders above it. */
static void put(const char *path, const char *text)
{
    char whole[5000];
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    for (char *slash = whole + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *f = fopen(whole, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int drop(const char *path, const struct stat *s, int type, struct FTW *at)
{
    (void)s, (void)type;
    return at->level ? remove(path) : 0;
}

static void clear(void)
{
    nftw(root, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static void version2(void)
{
    clear();
    CHECK(scarlet__cgroup_cpus(root) == 0); /* no /proc, no /sys */
    put("sys/fs/cgroup/cpu.max", "250000 100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 3); /* a container without /proc */
    put("proc/self/cgroup", "0::/\n");
    CHECK(scarlet__cgroup_cpus(root) == 3);

    clear(); /* the group itself, its parent, the one above */
    put("proc/self/cgroup", "0::/user.slice/job.service/inner\n");
    put("sys/fs/cgroup/user.slice/job.service/inner/cpu.max", "max 100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 0);
    put("sys/fs/cgroup/user.slice/cpu.max", "800000 100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 8);
    put("sys/fs/cgroup/user.slice/job.service/cpu.max", "150000 100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 2);
    put("sys/fs/cgroup/user.slice/job.service/inner/cpu.max", "400000 100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 2);
    put("sys/fs/cgroup/user.slice/job.service/inner/cpu.max", "50000 100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 1);

    clear(); /* the host's name of a container's group */
    put("proc/self/cgroup", "0::/docker/0123abc\n");
    put("sys/fs/cgroup/cpu.max", "200000 100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 2);
}

static void version1(void)
{
    clear();
    put("proc/self/cgroup", "11:cpuset:/elsewhere\n4:cpu,cpuacct:/batch/job7\n1:name=x:/\n0::/\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpu/batch/job7/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/batch/job7/cpu.cfs_period_us", "100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 0);
    put("sys/fs/cgroup/cpu/batch/cpu.cfs_quota_us", "50000\n");
    put("sys/fs/cgroup/cpu/batch/cpu.cfs_period_us", "20000\n");
    CHECK(scarlet__cgroup_cpus(root) == 3);
    put("sys/fs/cgroup/cpu/batch/job7/cpu.cfs_quota_us", "110000\n");
    CHECK(scarlet__cgroup_cpus(root) == 2);
    put("sys/fs/cgroup/cpu/elsewhere/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpu/elsewhere/cpu.cfs_period_us", "100000\n");
    CHECK(scarlet__cgroup_cpus(root) == 2); /* of another controller */
}

/* What no kernel writes does no harm. */
static void malformed(void)
{
    static const char *const lists[] = {
        "", "\n\n", "0", "0:", "0::", "x:cpu:", ":::::", "0::nothing"};
    static const char *const quotas[] = {"", "1", "-5 100000", "100000 0", "x y"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        clear();
        put("proc/self/cgroup", lists[i]);
        put("sys/fs/cgroup/cpu.max", "200000 100000");
        CHECK(scarlet__cgroup_cpus(root) == 2);
    }
    for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++) {
        put("sys/fs/cgroup/cpu.max", quotas[i]);
        CHECK(scarlet__cgroup_cpus(root) == 0);
    }
    put("sys/fs/cgroup/cpu.max", "9223372036854775807 1");
    CHECK(scarlet__cgroup_cpus(root) == 65536);
    clear();
    char *deep = malloc(20000);
    strcpy(deep, "0::");
    for (size_t i = 3; i + 1 < 20000; i += 2)
        memcpy(deep + i, "/a", 3);
    put("proc/self/cgroup", deep);
    put("sys/fs/cgroup/cpu.max", "200000 100000");
    CHECK(scarlet__cgroup_cpus(root) == 2); /* longer than any path: the mount counts */
    free(deep);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    snprintf(root, sizeof root, "%s/cpu-XXXXXX", argv[1]);
    if (!CHECK(mkdtemp(root)))
        return test_result();
    version2();
    version1();
    malformed();
    clear();
    rmdir(root);

    const unsigned limit = scarlet__cgroup_cpus("");
    static const unsigned counts[] = {1, 7, 1025, 2500, 4096};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        pretended = counts[i];
        CHECK(scarlet__cpu_count() == (limit && limit < counts[i] ? limit : counts[i]));
    }
    pretended = 0;
    CHECK(scarlet__cpu_count() == 1);

    CHECK(*scarlet__cpu_name() && strlen(scarlet__cpu_name()) < 64);
    return test_result();
}
