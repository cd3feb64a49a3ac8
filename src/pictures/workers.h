/* A session for each worker of a pipeline. */
#ifndef SCARLET_SRC_PICTURES_WORKERS_H
#define SCARLET_SRC_PICTURES_WORKERS_H

#include <stddef.h>

#include "common/command.h"
#include "scarlet/scarlet.h"

enum { JOBS_MAX = 1024 };

/* Sessions, all with `settings`; the first is `own`. Ends the program with a message. */
scarlet_session **worker_sessions(const cli_command *command, scarlet_model *model,
                                  scarlet_session *own, const char *settings, size_t workers);
void worker_sessions_free(scarlet_session **sessions, size_t workers); /* not the first */

#endif
