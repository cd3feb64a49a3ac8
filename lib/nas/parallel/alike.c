#include "nas/parallel/alike.h"

#include <stdio.h>
#include <string.h>

#include "common/error.h"
#include "common/memory.h"

typedef struct {
    char text[91];
} shown;

scarlet_status scarlet__alike(const scarlet_group *group, const char *what, const char *text,
                              scarlet_error *err)
{
    shown own = {0}, *all = scarlet__calloc((size_t)group->size, sizeof *all);
    if (!all)
        return scarlet__fail_memory(err);
    snprintf(own.text, sizeof own.text, "%s", text);
    group->gather(group->user, &own, sizeof own, all);
    scarlet_status status = SCARLET_OK;
    for (int32_t i = 1; status == SCARLET_OK && i < group->size; i++)
        if (strcmp(all[i].text, all[0].text) != 0)
            status = scarlet__fail(err, SCARLET_ERROR_ARGUMENT, "%s: %s in process %d, %s in 0",
                                   what, all[i].text, (int)i, all[0].text);
    scarlet__free(all);
    return status;
}
