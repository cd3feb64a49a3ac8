/*
 * The module by which MPI carries the messages of a group; compiled once for each MPI, whose
 * binary interfaces differ. It uses nothing of libscarlet-nas, and is the only file that knows MPI.
 */
#include <mpi.h>
#include <stdbool.h>

#include "scarlet/nas.h"

/* What the commands look for in it. */
SCARLET_API bool scarlet_mpi_join(scarlet_group *group);
SCARLET_API void scarlet_mpi_leave(int code);

enum { PIECE = 1 << 30 }; /* MPI counts in int */

/* MPI ends the job itself when a call fails. */
static void broadcast(void *user, void *data, size_t bytes, int32_t root)
{
    (void)user;
    for (char *at = data; bytes > 0;) {
        const size_t piece = bytes < PIECE ? bytes : PIECE;
        MPI_Bcast(at, (int)piece, MPI_BYTE, root, MPI_COMM_WORLD);
        at += piece;
        bytes -= piece;
    }
}

static void gather(void *user, const void *data, size_t bytes, void *out)
{
    (void)user;
    MPI_Allgather(data, (int)bytes, MPI_BYTE, out, (int)bytes, MPI_BYTE, MPI_COMM_WORLD);
}

bool scarlet_mpi_join(scarlet_group *group)
{
    int level, rank, size;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS ||
        level < MPI_THREAD_FUNNELED || MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS ||
        MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS)
        return false;
    *group = (scarlet_group){.rank = rank, .size = size, .broadcast = broadcast, .gather = gather};
    return true;
}

/* Without an error all processes leave together; with one, it is the end of all. */
void scarlet_mpi_leave(int code)
{
    if (code == 0)
        MPI_Finalize();
    else
        MPI_Abort(MPI_COMM_WORLD, code);
}
