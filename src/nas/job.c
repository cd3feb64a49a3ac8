#include "job.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/interrupt.h"
#include "common/message.h"
#include "common/status.h"

static void (*leave)(int code);

/* The MPI whose launcher started this program, by a variable that it sets. */
typedef struct launcher {
    const char *variable, *mpi;
} launcher;

static const launcher launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "openmpi"}, {"PMIX_RANK", "openmpi"}, {"PMI_RANK", "mpich"}, {0}};

/* The module beside the program. */
static char *module_path(const char *mpi)
{
    char program[4096];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program);
    if (length < 0 || length == sizeof program)
        cli_refuse_errno("/proc/self/exe");
    int folder = (int)length;
    while (folder > 0 && program[folder - 1] != '/')
        folder--;
    return cli_format("%.*sscarlet-mpi-%s.so", folder, program, mpi);
}

static void end(int code, void *unused)
{
    (void)unused;
    fflush(NULL); /* a failure ends the program at once */
    leave(code);
}

const scarlet_group *job_join(void)
{
    static scarlet_group group;
    bool (*join)(scarlet_group *);
    const launcher *by = launchers;
    while (by->variable && !getenv(by->variable))
        by++;
    if (!by->variable)
        return NULL;
    char *path = module_path(by->mpi);
    void *module = dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* Open MPI's own plugins see it */
    if (!module) {
        cli_error(
            "%s says that mpirun started this, but the module for it cannot be loaded "
            "(Debian: apt install scarlet-mpi): %s",
            by->variable, dlerror());
        exit(INPUT_FAILED);
    }
    *(void **)&join = dlsym(module, "scarlet_mpi_join");
    *(void **)&leave = dlsym(module, "scarlet_mpi_leave");
    if (!join || !leave)
        cli_refuse(path, "not a module of scarlet's");
    if (!join(&group))
        cli_refuse(path, "MPI does not start");
    on_exit(end, NULL);
    free(path);
    return group.size > 1 ? &group : NULL;
}

bool job_leads(const scarlet_group *job)
{
    return !job || job->rank == 0;
}

void job_send(const scarlet_group *job, void *data, size_t bytes)
{
    if (job)
        job->broadcast(job->user, data, bytes, 0);
}

void job_follow(const scarlet_group *job)
{
    char nothing = 0;
    job_send(job, &nothing, sizeof nothing);
}

void job_interrupt(const scarlet_group *job)
{
    job_follow(job);
    if (job)
        leave(DONE);
    cli_finish(DONE);
    if (interrupted())
        interrupt_finish();
    _exit(INPUT_FAILED);
}

bool job_any(const scarlet_group *job, bool here)
{
    if (!job)
        return here;
    char own = here, *all = cli_alloc((size_t)job->size, 1);
    job->gather(job->user, &own, 1, all);
    const bool any = memchr(all, 1, (size_t)job->size) != NULL;
    free(all);
    return any;
}

bool job_makes(const scarlet_group *job, size_t i)
{
    return !job || i % (size_t)job->size == (size_t)job->rank;
}

void job_share(const scarlet_group *job, void *items, size_t count, size_t size)
{
    if (!job)
        return;
    const size_t processes = (size_t)job->size;
    char *round = cli_alloc(processes + 1, size), *own = round + processes * size;
    for (size_t first = 0; first < count; first += processes) {
        char *at = (char *)items + first * size;
        const size_t here = count - first < processes ? count - first : processes;
        if ((size_t)job->rank < here)
            memcpy(own, at + (size_t)job->rank * size, size);
        job->gather(job->user, own, size, round);
        memcpy(at, round, here * size);
    }
    free(round);
}
