#include "workers.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/model.h"
#include "common/settings.h"

scarlet_session **worker_sessions(const cli_command *command, scarlet_model *model,
                                  scarlet_session *own, const char *settings, size_t workers)
{
    scarlet_session **sessions = cli_alloc(workers, sizeof(scarlet_session *));
    scarlet_options *opts = cli_options(settings, NULL);
    scarlet_error err;
    sessions[0] = own;
    for (size_t i = 1; i < workers; i++)
        if (scarlet_session_create(model, opts, &sessions[i], &err) != SCARLET_OK)
            cli_model_failed(command, &err);
    scarlet_options_free(opts);
    return sessions;
}

void worker_sessions_free(scarlet_session **sessions, size_t workers)
{
    for (size_t i = 1; i < workers; i++)
        scarlet_session_free(sessions[i]);
    free(sessions);
}
