#include "scarlet/scarlet.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

uint32_t scarlet_version(void)
{
    return SCARLET_VERSION;
}

const char *scarlet_version_string(void)
{
    return TEXT(SCARLET_VERSION_MAJOR) "." TEXT(SCARLET_VERSION_MINOR) "." TEXT(
        SCARLET_VERSION_PATCH);
}

const char *scarlet_status_string(scarlet_status status)
{
    switch ((int)status) {
    case SCARLET_OK:
        return "ok";
    case SCARLET_ERROR_ARGUMENT:
        return "argument";
    case SCARLET_ERROR_MEMORY:
        return "memory";
    case SCARLET_ERROR_IO:
        return "io";
    case SCARLET_ERROR_FORMAT:
        return "format";
    case SCARLET_ERROR_CORRUPT:
        return "corrupt";
    case SCARLET_ERROR_UNSUPPORTED:
        return "unsupported";
    case SCARLET_ERROR_LIMIT:
        return "limit";
    case SCARLET_ERROR_MODEL:
        return "model";
    case SCARLET_ERROR_INTERNAL:
        return "internal";
    default:
        return "unknown";
    }
}
