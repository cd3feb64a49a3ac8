/* What this CPU can do, and how many this process may use. */
#ifndef SCARLET_COMMON_CPU_H
#define SCARLET_COMMON_CPU_H

#include "scarlet/scarlet.h"

/* Newest instruction set (SCARLET_ISA_*) that both this CPU and `isa_max` allow. */
int scarlet__cpu_isa(int64_t isa_max);
/* CPUs this process may run on: affinity mask and cgroup quota; at least 1. */
unsigned scarlet__cpu_count(void);
/* Name of this CPU as its maker has it; static. */
const char *scarlet__cpu_name(void);

#endif
