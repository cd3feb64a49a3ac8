/* What CPU time the process' control groups leave it. */
#ifndef SCARLET_COMMON_CGROUP_H
#define SCARLET_COMMON_CGROUP_H

/* Whole CPUs, rounded up, of the smallest quota of the process' own group and all groups above it,
 * of version 1 or 2; 0 if there is none. root: "", or a folder with a copy of /proc and /sys. */
unsigned scarlet__cgroup_cpus(const char *root);

#endif
