#include "common/cgroup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, LIST_ROOM = 8192, CPUS_MOST = 1 << 16 };

/* The beginning of a file as text; false if it cannot be read, or is empty. */
static bool read_text(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t used = 0;
    ssize_t n;
    while (used < room - 1 && (n = read(fd, text + used, room - 1 - used)) > 0)
        used += (size_t)n;
    close(fd);
    text[used] = '\0';
    return used > 0;
}

/* Reads up to two numbers from the file `name` of a group; returns how many there are. */
static int read_numbers(const char *group, const char *name, long long *first, long long *second)
{
    char path[PATH_ROOM + 32], text[64];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return read_text(path, text, sizeof text) ? sscanf(text, "%lld %lld", first, second) : 0;
}

/* Whole CPUs of one group's quota; 0 if it has none. */
static unsigned quota(const char *group)
{
    long long used = 0, period = 0, unused;
    if (read_numbers(group, "cpu.max", &used, &period) != 2 && /* "max 100000" without a quota */
        (read_numbers(group, "cpu.cfs_quota_us", &used, &unused) != 1 ||
         read_numbers(group, "cpu.cfs_period_us", &period, &unused) != 1))
        return 0;
    if (used <= 0 || period <= 0)
        return 0;
    const long long cpus = used / period + (used % period != 0);
    return cpus > CPUS_MOST ? CPUS_MOST : (unsigned)cpus;
}

/* The smallest quota of the group `own` below a mount and of all groups above it. A container may
 * see the host's name of its group while only the group itself is mounted: names that are not there
 * have no quota. */
static unsigned smallest(const char *root, const char *mount, const char *own)
{
    char group[PATH_ROOM];
    unsigned least = 0;
    if (snprintf(group, sizeof group, "%s%s%s", root, mount, own) >= (int)sizeof group)
        snprintf(group, sizeof group, "%s%s", root, mount);
    for (size_t top = strlen(root) + strlen(mount);;) {
        const unsigned cpus = quota(group);
        if (cpus && (!least || cpus < least))
            least = cpus;
        char *slash = strrchr(group + top, '/');
        if (!slash)
            return least;
        *slash = '\0';
    }
}

/* Whether a comma-separated list has the word "cpu". */
static bool has_cpu(const char *list)
{
    for (const char *at = list;; at++) {
        const size_t n = strcspn(at, ",");
        if (n == 3 && memcmp(at, "cpu", 3) == 0)
            return true;
        at += n;
        if (!*at)
            return false;
    }
}

unsigned scarlet__cgroup_cpus(const char *root)
{
    char path[PATH_ROOM], list[LIST_ROOM], *rest = NULL;
    const char *own = "", *own1 = "";
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (!read_text(path, list, sizeof list))
        *list = '\0';
    /* Lines are NUMBER:CONTROLLERS:GROUP; version 2 has a single one, without controllers. */
    for (char *line = strtok_r(list, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *controllers = strchr(line, ':'), *group = controllers;
        if (controllers)
            group = strchr(++controllers, ':');
        if (!group || group[1] != '/')
            continue;
        *group++ = '\0';
        if (!*controllers)
            own = group;
        else if (has_cpu(controllers))
            own1 = group;
    }
    const unsigned cpus = smallest(root, "/sys/fs/cgroup", own);
    const unsigned cpus1 = smallest(root, "/sys/fs/cgroup/cpu", own1);
    return !cpus || (cpus1 && cpus1 < cpus) ? cpus1 : cpus;
}
