#include "installation.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "alloc.h"

/* The folder that this program is in; free it. */
static char *own_folder(void)
{
    char *own = realpath("/proc/self/exe", NULL);
    const char *started = (const char *)getauxval(AT_EXECFN);
    if (!own && started)
        own = realpath(started, NULL); /* where there is no /proc */
    char *slash = own ? strrchr(own, '/') : NULL;
    char *folder = slash ? cli_format("%.*s", (int)(slash - own), own) : cli_format(".");
    free(own);
    return folder;
}

char *data_file(const char *name)
{
    char *own = own_folder(), *path = cli_format("%s/%s", own, name); /* in a build tree */
    if (access(path, R_OK) != 0) {
        free(path);
        path = cli_format("%s/" DATADIR "/%s", own, name);
    }
    free(own);
    return path;
}

char *external_command(const char *name)
{
    char *own = own_folder(), *path = cli_format("%s/nas/scarlet-%s", own, name); /* as built */
    if (access(path, X_OK) != 0) {
        free(path);
        path = cli_format("%s/" LIBEXEC "/scarlet-%s", own, name);
    }
    free(own);
    return path;
}
