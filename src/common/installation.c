#include "installation.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"

/* The folder that this program is in; free it. */
static char *own_folder(void)
{
    char own[4096];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    own[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(own, '/');
    if (slash)
        *slash = '\0';
    return cli_format("%s", own);
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
