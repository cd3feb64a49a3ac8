#include "formats/bookkeeping.h"

#include <string.h>

bool scarlet__is_bookkeeping(const char *name)
{
    static const char *const last[] = {"n_averaged", "total_ops", "total_params"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof last / sizeof *last; i++)
        if (strcmp(dot ? dot + 1 : name, last[i]) == 0)
            return true;
    return false;
}

static bool strip(scarlet__tensors *t, const char *prefix)
{
    const size_t length = strlen(prefix);
    for (size_t i = 0; i < t->count; i++)
        if (strncmp(t->tensor[i].name, prefix, length) != 0)
            return false;
    for (size_t i = 0; i < t->count; i++)
        t->tensor[i].name += length;
    return t->count > 0;
}

static bool strip_one(scarlet__tensors *t)
{
    static const char *const prefixes[] = {"module.", "_orig_mod.", "model.", "net.", "backbone."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strip(t, prefixes[i]))
            return true;
    return false;
}

void scarlet__drop_bookkeeping(scarlet__tensors *tensors)
{
    enum { DEPTH_MAX = 64 };
    size_t kept = 0;
    for (size_t i = 0; i < tensors->count; i++)
        if (!scarlet__is_bookkeeping(tensors->tensor[i].name))
            tensors->tensor[kept++] = tensors->tensor[i];
    tensors->count = kept;
    for (int i = 0; i < DEPTH_MAX && strip_one(tensors); i++)
        ; /* in any order and number */
}
