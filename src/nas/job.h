/*
 * Several processes of one command, as mpirun or srun start them: by MPI, through a module that is
 * loaded only then. Process 0 writes files and prints; an error in one is the end of all.
 */
#ifndef SCARLET_SRC_NAS_JOB_H
#define SCARLET_SRC_NAS_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "scarlet/nas.h"

/* The processes that were started with this one; NULL: none. From now on the program's end leaves
 * them, and ends them if it has failed. Ends the program if the module cannot be used. */
const scarlet_group *job_join(void);

/* What follows does nothing, and is true, with NULL. */
bool job_leads(const scarlet_group *job);
/* Waits until process 0 has come here too. */
void job_follow(const scarlet_group *job);
/* Ends the program once process 0 has come here too, as the signal would have that it caught. */
__attribute__((noreturn)) void job_interrupt(const scarlet_group *job);
/* True in all if it is in any. */
bool job_any(const scarlet_group *job, bool here);
/* Does this process make item i? */
bool job_makes(const scarlet_group *job, size_t i);
/* Sends process 0's to all. */
void job_send(const scarlet_group *job, void *data, size_t bytes);
/* Gives all of the items, of `size` bytes each, to all. */
void job_share(const scarlet_group *job, void *items, size_t count, size_t size);

#endif
