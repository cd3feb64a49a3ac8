/* A session for each worker of a pipeline. */
#ifndef SCARLET_SRC_PICTURES_WORKERS_H
#define SCARLET_SRC_PICTURES_WORKERS_H

#include <stddef.h>

#include "common/command.h"
#include "scarlet/scarlet.h"

enum { JOBS_MAX = 1024 };

/* How many pictures to work on at once: `wanted`, or for 0 as many as the CPUs that the process may
 * use. */
size_t worker_count(scarlet_model *model, size_t wanted);
/* Sessions, all with `settings`; the first is `own`. Ends the program with a message. */
scarlet_session **worker_sessions(const cli_command *command, scarlet_model *model,
                                  scarlet_session *own, const char *settings, size_t workers);
void worker_sessions_free(scarlet_session **sessions, size_t workers); /* not the first */

#endif
